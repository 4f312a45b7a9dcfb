import { checkProbability } from "./check_probability.ts";
import { checkRange } from "./check_range.ts";

/** How often and how much of an image is erased. */
export interface RandomErasingOptions {
  /** The part of the images that lose a rectangle; default 0.25. */
  readonly probability?: number;
  /** The range of the rectangle's area relative to the image's; default [0.02, 0.33]. */
  readonly scale?: readonly [number, number];
  /** The range of the rectangle's height / width; default [0.3, 3.3]. */
  readonly ratio?: readonly [number, number];
}

const ATTEMPTS = 10;

/**
 * Sets a random rectangle of an image to 0, in place: torchvision's `RandomErasing` (Zhong et al., 2020). In
 * normalised pixels, 0 is the data's mean colour. If ten rectangles do not fit, none is erased.
 *
 * @param pixelValues one image's normalised pixels, `[C, H, W]`; of a batch, a `subarray`.
 * @param shape `[C, H, W]`.
 * @param random uniform numbers in [0, 1).
 * @returns whether a rectangle was erased.
 * @throws {RangeError} if the shape is not the data's, or an option is out of range.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { randomErasing } from "./random_erasing.ts";
 *
 * const pixelValues = new Float32Array(3 * 8 * 8).fill(1);
 * randomErasing(pixelValues, [3, 8, 8], { probability: 1 }, uniform(1));
 * assert(pixelValues.includes(0));
 * ```
 */
export function randomErasing(
  pixelValues: Float32Array,
  [channels, height, width]: readonly [number, number, number],
  { probability = 0.25, scale = [0.02, 0.33], ratio = [0.3, 3.3] }: RandomErasingOptions,
  random: () => number,
): boolean {
  if (pixelValues.length !== channels * height * width) {
    throw new RangeError(
      `Cannot erase: ${pixelValues.length} numbers are not an image [${channels},${height},${width}]; ` +
        `give one image's pixels and their shape [C, H, W]`,
    );
  }
  checkProbability(probability, "probability");
  checkRange(scale, 0, 1, "scale");
  checkRange(ratio, 1e-3, 1e3, "ratio");
  if (random() >= probability) return false;
  const [logMin, logMax] = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = width * height * (scale[0] + (scale[1] - scale[0]) * random());
    const aspect = Math.exp(logMin + (logMax - logMin) * random());
    const boxHeight = Math.round(Math.sqrt(area * aspect));
    const boxWidth = Math.round(Math.sqrt(area / aspect));
    if (boxHeight >= height || boxWidth >= width) continue;
    const top = Math.floor(random() * (height - boxHeight + 1));
    const left = Math.floor(random() * (width - boxWidth + 1));
    for (let channel = 0; channel < channels; channel++) {
      for (let y = top; y < top + boxHeight; y++) {
        const start = (channel * height + y) * width + left;
        pixelValues.fill(0, start, start + boxWidth);
      }
    }
    return true;
  }
  return false;
}
