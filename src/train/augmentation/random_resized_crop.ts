import type { RawImage } from "../../image/raw_image.ts";
import { crop } from "../../image/transform/crop.ts";
import type { Resampling } from "../../image/transform/resampling.ts";
import { resize } from "../../image/transform/resize.ts";
import { randomCropBox, type RandomCropOptions } from "./random_crop_box.ts";

/** What a random crop keeps, and what becomes of it. */
export interface RandomResizedCropOptions extends RandomCropOptions {
  /** The result's `[height, width]`, in pixels. */
  readonly size: readonly [number, number];
  /** The filter; default bilinear. */
  readonly resample?: Resampling;
}

/**
 * Crops an image at random, then resizes the crop: torchvision's `RandomResizedCrop` of a PIL image. The crop
 * is cut out first, so that no pixel outside of it shines in.
 *
 * @throws {RangeError} for a size that is not two positive integers, or a range that
 *   {@linkcode randomCropBox} refuses.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { randomResizedCrop } from "./random_resized_crop.ts";
 *
 * const image = { width: 40, height: 30, data: new Uint8Array(40 * 30 * 3) };
 * const { width, height } = randomResizedCrop(image, { size: [16, 24] }, uniform(1));
 * assertEquals([height, width], [16, 24]);
 * ```
 */
export function randomResizedCrop(
  image: RawImage,
  options: RandomResizedCropOptions,
  random: () => number,
): RawImage {
  const { left, top, width, height } = randomCropBox(image.width, image.height, options, random);
  const [outHeight, outWidth] = options.size;
  const cropped = crop(image, left, top, width, height);
  return resize(cropped, outWidth, outHeight, options.resample ?? "bilinear");
}
