import type { RawImage } from "../../../image/raw_image.ts";
import { mapLevels } from "./map_levels.ts";

/**
 * Keeps the uppermost bits of every level, as Pillow's `ImageOps.posterize`.
 *
 * @param bits from 0 (black) to 8 (the same image).
 * @throws {RangeError} if `bits` is not an integer from 0 to 8.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { posterize } from "./posterize.ts";
 *
 * const image = { width: 1, height: 1, data: Uint8Array.of(255, 100, 15) };
 * assertEquals(posterize(image, 4).data, Uint8Array.of(240, 96, 0));
 * ```
 */
export function posterize(image: RawImage, bits: number): RawImage {
  if (!Number.isInteger(bits) || bits < 0 || bits > 8) {
    throw new RangeError(`Cannot posterize: bits is ${bits}; give an integer from 0 to 8`);
  }
  const mask = -1 << 8 - bits;
  return mapLevels(image, Uint8Array.from({ length: 256 }, (_, v) => v & mask));
}
