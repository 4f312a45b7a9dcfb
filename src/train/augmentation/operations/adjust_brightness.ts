import type { RawImage } from "../../../image/raw_image.ts";
import { blendTable, toLevel, ZERO } from "./blend_table.ts";
import { checkFactor } from "./check_factor.ts";
import { mapLevels } from "./map_levels.ts";

/**
 * Multiplies an image by a factor: 0 gives black, 1 the image, 2 twice the levels. Byte for byte Pillow's
 * `ImageEnhance.Brightness`, which is torchvision's `adjust_brightness`.
 *
 * @throws {RangeError} if the factor is not a finite number of at least 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adjustBrightness } from "./adjust_brightness.ts";
 *
 * const image = { width: 1, height: 1, data: Uint8Array.of(10, 100, 200) };
 * assertEquals(adjustBrightness(image, 1.5).data, Uint8Array.of(15, 150, 255));
 * ```
 */
export function adjustBrightness(image: RawImage, factor: number): RawImage {
  checkFactor(factor, "brightness");
  const products = blendTable(factor);
  return mapLevels(image, Uint8Array.from({ length: 256 }, (_, v) => toLevel(products[ZERO + v]!)));
}
