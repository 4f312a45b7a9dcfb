import type { RawImage } from "../../image/raw_image.ts";
import { adjustBrightness } from "./operations/adjust_brightness.ts";
import { adjustContrast } from "./operations/adjust_contrast.ts";
import { adjustSaturation } from "./operations/adjust_saturation.ts";
import { adjustSharpness } from "./operations/adjust_sharpness.ts";
import { affine } from "./operations/affine.ts";
import { autoContrast } from "./operations/auto_contrast.ts";
import { equalize } from "./operations/equalize.ts";
import { posterize } from "./operations/posterize.ts";
import { rotate } from "./operations/rotate.ts";
import { solarize } from "./operations/solarize.ts";

/** How much RandAugment changes an image. */
export interface RandAugmentOptions {
  /** The operations an image, at most 16; default 2. One may be drawn more than once. */
  readonly numOps?: number;
  /** The strength of all operations, an integer from 0 to 30; default 9. */
  readonly magnitude?: number;
}

const MAX_MAGNITUDE = 30;
/** More operations leave little of an image. */
const MAX_OPS = 16;

/**
 * What an operation does at a strength.
 *
 * @param strength magnitude / 30, from 0 to 1.
 * @param sign 1 or -1, for the operations with a direction.
 */
type Operation = (image: RawImage, strength: number, sign: number) => RawImage;

const OPERATIONS: readonly Operation[] = [
  (image) => image,
  (image, strength, sign) => affine(image, [1, sign * 0.3 * strength, 0, 0, 1, 0]),
  (image, strength, sign) => affine(image, [1, 0, 0, sign * 0.3 * strength, 1, 0]),
  (image, strength, sign) => {
    return affine(image, [1, 0, -sign * shift(image.width, strength), 0, 1, 0]);
  },
  (image, strength, sign) => {
    return affine(image, [1, 0, 0, 0, 1, -sign * shift(image.height, strength)]);
  },
  (image, strength, sign) => rotate(image, sign * 30 * strength),
  (image, strength, sign) => adjustBrightness(image, 1 + sign * 0.9 * strength),
  (image, strength, sign) => adjustSaturation(image, 1 + sign * 0.9 * strength),
  (image, strength, sign) => adjustContrast(image, 1 + sign * 0.9 * strength),
  (image, strength, sign) => adjustSharpness(image, 1 + sign * 0.9 * strength),
  (image, strength) => posterize(image, 8 - Math.round(4 * strength)),
  (image, strength) => solarize(image, 255 * (1 - strength)),
  autoContrast,
  equalize,
];

/** The whole pixels by which an image moves. */
function shift(size: number, strength: number): number {
  return Math.trunc(150 / 331 * size * strength);
}

/**
 * Applies random operations to an image one after another: torchvision's `RandAugment` of a PIL image, with
 * 31 magnitudes (Cubuk et al., "RandAugment", 2020). The operations are torchvision's 14: identity, shear and
 * translation in x and y, rotation, brightness, colour, contrast, sharpness, posterize, solarize,
 * auto-contrast and equalize; inversion, and a magnitude that varies from image to image (timm's `mstd`), are
 * not among them. The geometric ones take the nearest pixel, and fill what was outside of the image with
 * black, as torchvision does by default.
 *
 * @param random uniform numbers in [0, 1): two an operation, for its kind and its direction.
 * @throws {RangeError} if an option is not an integer in its range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { randAugment } from "./rand_augment.ts";
 *
 * const image = { width: 4, height: 4, data: new Uint8Array(48).fill(99) };
 * const { width, height } = randAugment(image, { magnitude: 20 }, uniform(3));
 * assertEquals([width, height], [4, 4]);
 * ```
 */
export function randAugment(
  image: RawImage,
  { numOps = 2, magnitude = 9 }: RandAugmentOptions,
  random: () => number,
): RawImage {
  checkInteger("numOps", numOps, MAX_OPS);
  checkInteger("magnitude", magnitude, MAX_MAGNITUDE);
  for (let i = 0; i < numOps; i++) {
    const operation = OPERATIONS[Math.floor(random() * OPERATIONS.length)]!;
    image = operation(image, magnitude / MAX_MAGNITUDE, random() < 0.5 ? 1 : -1);
  }
  return image;
}

function checkInteger(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(
      `Cannot augment: ${name} is ${value}; give an integer from 0 to ${max}`,
    );
  }
}
