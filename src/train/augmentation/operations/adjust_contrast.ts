import type { RawImage } from "../../../image/raw_image.ts";
import { blendTable, toLevel, ZERO } from "./blend_table.ts";
import { checkFactor } from "./check_factor.ts";
import { luma } from "./luma.ts";
import { mapLevels } from "./map_levels.ts";

/**
 * Moves an image from its mean brightness: 0 gives that grey, 1 the image, 2 twice the distance. Byte for
 * byte Pillow's `ImageEnhance.Contrast`, which is torchvision's `adjust_contrast`.
 *
 * @throws {RangeError} if the factor is not a finite number of at least 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adjustContrast } from "./adjust_contrast.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(50, 50, 50, 150, 150, 150) };
 * assertEquals(adjustContrast(image, 0.5).data, Uint8Array.of(75, 75, 75, 125, 125, 125));
 * ```
 */
export function adjustContrast(image: RawImage, factor: number): RawImage {
  checkFactor(factor, "contrast");
  const mean = meanLuma(image);
  const products = blendTable(factor);
  return mapLevels(
    image,
    Uint8Array.from({ length: 256 }, (_, v) => toLevel(mean + products[ZERO + v - mean]!)),
  );
}

/** The mean of Pillow's mode `L`, rounded. */
function meanLuma({ width, height, data }: RawImage): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += luma(data[i]!, data[i + 1]!, data[i + 2]!);
  return Math.floor(sum / (width * height) + 0.5);
}
