import type { RawImage } from "../../../image/raw_image.ts";
import { mapLevels } from "./map_levels.ts";

/**
 * Inverts every level from a threshold on, as Pillow's `ImageOps.solarize`.
 *
 * @param threshold 0 inverts all levels, 256 none; it need not be an integer.
 * @throws {RangeError} if the threshold is not a number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { solarize } from "./solarize.ts";
 *
 * const image = { width: 1, height: 1, data: Uint8Array.of(127, 128, 255) };
 * assertEquals(solarize(image, 128).data, Uint8Array.of(127, 127, 0));
 * ```
 */
export function solarize(image: RawImage, threshold: number): RawImage {
  if (Number.isNaN(threshold)) {
    throw new RangeError("Cannot solarize: the threshold is NaN; give a number from 0 to 256");
  }
  return mapLevels(
    image,
    Uint8Array.from({ length: 256 }, (_, v) => v < threshold ? v : 255 - v),
  );
}
