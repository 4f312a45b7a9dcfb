import type { DecodeMode, DecodeOptions } from "../image/decode_options.ts";
import type { RawImage } from "../image/raw_image.ts";
import type { Resampling } from "../image/transform/resampling.ts";
import { resize } from "../image/transform/resize.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { centerCrop } from "./center_crop.ts";
import { outputSize } from "./output_size.ts";
import type { PreprocessorConfig } from "./preprocessor_config.ts";

/** PIL's filters by the numbers that `preprocessor_config.json` uses. */
export const RESAMPLING: Readonly<Record<PreprocessorConfig["resample"], Resampling>> = {
  1: "lanczos",
  2: "bilinear",
  3: "bicubic",
};

/**
 * Converts images to a model's `pixel_values`. The numbers are equal to those of Hugging Face's
 * `ViTImageProcessor` with PIL: resize, centre crop, rescale, normalise; the configuration enables
 * each step.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePreprocessorConfig } from "./preprocessor_config.ts";
 * import { ViTImageProcessor } from "./vit_image_processor.ts";
 *
 * const processor = new ViTImageProcessor(parsePreprocessorConfig({ size: 2 }));
 * const white = { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) };
 * const { shape, data } = processor.preprocess([white]);
 * assertEquals(shape, [1, 3, 2, 2]);
 * assertEquals(data, new Float32Array(12).fill(1)); // (1 - mean) / std, both 0.5
 * ```
 */
export class ViTImageProcessor {
  /** The settings. */
  readonly config: PreprocessorConfig;
  /** For each of R, G and B, a table of the normalised values of the 256 levels. */
  readonly #levels: readonly Float32Array[];

  /** Creates a processor from settings that `parsePreprocessorConfig` has validated. */
  constructor(config: PreprocessorConfig) {
    this.config = config;
    this.#levels = [0, 1, 2].map((channel) => levelTable(config, channel));
  }

  /**
   * Converts images to a batch.
   *
   * @returns `pixel_values` [B, 3, H, W] in RGB order.
   * @throws {RangeError} if `images` is empty, an image would exceed 40 million pixels after resizing or
   * is smaller than the crop, or the processed images differ in size.
   */
  preprocess(images: readonly RawImage[]): Tensor<"float32"> {
    const sized = images.map((image) => this.resizeAndCrop(image));
    const [first] = sized;
    if (!first) throw new RangeError("Cannot preprocess: the list of images is empty");
    const { width, height } = first;
    const pixels = width * height;
    const data = new Float32Array(sized.length * 3 * pixels);
    sized.forEach((image, b) => {
      if (image.width !== width || image.height !== height) {
        throw new RangeError(
          `Cannot preprocess: image ${b} becomes ${image.width} × ${image.height}, ` +
            `but the first one ${width} × ${height}`,
        );
      }
      this.#levels.forEach((levels, channel) => {
        const plane = data.subarray((3 * b + channel) * pixels, (3 * b + channel + 1) * pixels);
        for (let i = 0; i < pixels; i++) plane[i] = levels[image.data[3 * i + channel]!]!;
      });
    });
    return { dtype: "float32", shape: [sized.length, 3, height, width], data };
  }

  /**
   * The minimum size to which `decodeImage` with `decode: "fast"` may scale an image down, in pixels;
   * a smaller image would be enlarged. `undefined` if images are not resized.
   */
  get resizedSize(): { readonly width: number; readonly height: number } | undefined {
    const { doResize, size } = this.config;
    if (!doResize) return undefined;
    return "shortestEdge" in size
      ? { width: size.shortestEdge, height: size.shortestEdge }
      : { width: size.width, height: size.height };
  }

  /** How to decode images for this processor. `fast` is `standard` where it does not resize. */
  decodeOptions(decode: DecodeMode): DecodeOptions {
    if (decode !== "fast") return { decode };
    return this.resizedSize ? { decode, size: this.resizedSize } : {};
  }

  /**
   * Resizes and crops an image, the first steps of {@linkcode preprocess}: the picture that the model sees.
   *
   * @throws {RangeError} as {@linkcode preprocess}.
   */
  resizeAndCrop(image: RawImage): RawImage {
    const { doResize, resample, doCenterCrop, cropSize } = this.config;
    if (doResize) {
      const { height, width } = outputSize(image, this.config);
      if (height * width > MAX_RESIZED_PIXELS) {
        throw new RangeError(
          `Cannot preprocess an image of ${image.width} × ${image.height}: it is too long and narrow ` +
            `to be resized to ${width} × ${height}`,
        );
      }
      image = resize(image, width, height, RESAMPLING[resample]);
    }
    return doCenterCrop ? centerCrop(image, cropSize) : image;
  }
}

/** Without this limit, `shortest_edge` would resize a strip of 16,384 × 1 pixels to 3,670,016 × 224. */
const MAX_RESIZED_PIXELS = 40_000_000;

/** Rounds every parameter and every step to float32, as NumPy does for a float32 image. */
function levelTable(config: PreprocessorConfig, channel: number): Float32Array {
  const mean = Math.fround(config.imageMean[channel]!);
  const std = Math.fround(config.imageStd[channel]!);
  const factor = Math.fround(config.rescaleFactor);
  return Float32Array.from({ length: 256 }, (_, level) => {
    const value = Math.fround(config.doRescale ? level * factor : level);
    return config.doNormalize ? Math.fround(value - mean) / std : value;
  });
}
