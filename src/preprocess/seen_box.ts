import { cropOffset } from "./center_crop.ts";
import { outputSize } from "./output_size.ts";
import type { PreprocessorConfig } from "./preprocessor_config.ts";

/** A rectangle on an image of any size, in shares of its width and height from the top left. */
export interface Box {
  /** From 0. */
  readonly left: number;
  /** From 0. */
  readonly top: number;
  /** Up to 1. */
  readonly width: number;
  /** Up to 1. */
  readonly height: number;
}

/** In pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The part of a photo that a model sees, through its processor's resizing and cropping.
 *
 * @param config of the processor.
 * @param photo the photo's size in pixels.
 * @param seen the pixels of the processed image that have a patch: its right and bottom edges have none if
 * its sides are no multiples of the patch size. Default is the whole processed image.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePreprocessorConfig } from "./preprocessor_config.ts";
 * import { seenBox } from "./seen_box.ts";
 *
 * const cropping = { size: { shortest_edge: 64 }, do_center_crop: true, crop_size: 32 };
 * const config = parsePreprocessorConfig(cropping);
 * const box = seenBox(config, { width: 400, height: 200 }); // resized to 128 × 64
 * assertEquals(box, { left: 0.375, top: 0.25, width: 0.25, height: 0.5 });
 * ```
 */
export function seenBox(config: PreprocessorConfig, photo: Size, seen?: Size): Box {
  const resized = outputSize(photo, config);
  const cropped = config.doCenterCrop ? config.cropSize : resized;
  const { width, height } = seen ?? cropped;
  return {
    left: cropOffset(resized.width - cropped.width) / resized.width,
    top: cropOffset(resized.height - cropped.height) / resized.height,
    width: width / resized.width,
    height: height / resized.height,
  };
}
