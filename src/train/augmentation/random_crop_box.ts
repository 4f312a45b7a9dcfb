import { checkRange } from "./check_range.ts";

/** A rectangle of an image, in pixels. */
export interface CropBox {
  /** The first column. */
  readonly left: number;
  /** The first row. */
  readonly top: number;
  /** At least 1. */
  readonly width: number;
  /** At least 1. */
  readonly height: number;
}

/** Which part of an image a random crop keeps. */
export interface RandomCropOptions {
  /** The range of the crop's area relative to the image's; default [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** The range of the crop's width / height; default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
}

const ATTEMPTS = 10;
/** The smallest ratio and the inverse of the largest: beyond them, no crop of a photo is a picture. */
const MIN_RATIO = 1e-3;

/**
 * Draws a crop as torchvision's `RandomResizedCrop.get_params`: the area is uniform in `scale`, the logarithm
 * of the ratio is uniform in `ratio`'s, and so is the place. If ten attempts do not fit into the image, it
 * is the largest central crop with an allowed ratio.
 *
 * @param random uniform numbers in [0, 1): two an attempt, then two for the place (top, left).
 * @throws {RangeError} if a range is not ascending, `scale` not in [0, 1] or `ratio` not in [0.001, 1000].
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { randomCropBox } from "./random_crop_box.ts";
 *
 * const { left, top, width, height } = randomCropBox(128, 96, {}, uniform(1));
 * assert(left + width <= 128 && top + height <= 96);
 * ```
 */
export function randomCropBox(
  imageWidth: number,
  imageHeight: number,
  { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: RandomCropOptions,
  random: () => number,
): CropBox {
  checkRange(scale, 0, 1, "scale");
  checkRange(ratio, MIN_RATIO, 1 / MIN_RATIO, "ratio");
  const [logMin, logMax] = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = imageWidth * imageHeight * (scale[0] + (scale[1] - scale[0]) * random());
    const aspect = Math.exp(logMin + (logMax - logMin) * random());
    const width = Math.round(Math.sqrt(area * aspect));
    const height = Math.round(Math.sqrt(area / aspect));
    if (width < 1 || width > imageWidth || height < 1 || height > imageHeight) continue;
    const top = Math.floor(random() * (imageHeight - height + 1));
    const left = Math.floor(random() * (imageWidth - width + 1));
    return { left, top, width, height };
  }
  const imageRatio = imageWidth / imageHeight;
  const width = imageRatio > ratio[1]
    ? Math.max(1, Math.round(imageHeight * ratio[1]))
    : imageWidth;
  const height = imageRatio < ratio[0]
    ? Math.max(1, Math.round(imageWidth / ratio[0]))
    : imageHeight;
  return { left: imageWidth - width >> 1, top: imageHeight - height >> 1, width, height };
}
