import type { RawImage } from "../../../image/raw_image.ts";
import { blendTable, toLevel, ZERO } from "./blend_table.ts";
import { checkFactor } from "./check_factor.ts";
import { luma } from "./luma.ts";

/**
 * Moves every pixel from its grey: 0 gives a grey image, 1 the image, 2 twice the colour. Byte for byte
 * Pillow's `ImageEnhance.Color`, which is torchvision's `adjust_saturation`.
 *
 * @throws {RangeError} if the factor is not a finite number of at least 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adjustSaturation } from "./adjust_saturation.ts";
 *
 * const image = { width: 1, height: 1, data: Uint8Array.of(200, 100, 0) };
 * assertEquals(adjustSaturation(image, 0).data, Uint8Array.of(118, 118, 118));
 * assertEquals(adjustSaturation(image, 0.5).data, Uint8Array.of(159, 109, 59));
 * ```
 */
export function adjustSaturation({ width, height, data }: RawImage, factor: number): RawImage {
  checkFactor(factor, "saturation");
  const products = blendTable(factor);
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const red = data[i]!;
    const green = data[i + 1]!;
    const blue = data[i + 2]!;
    const grey = luma(red, green, blue);
    out[i] = toLevel(grey + products[ZERO + red - grey]!);
    out[i + 1] = toLevel(grey + products[ZERO + green - grey]!);
    out[i + 2] = toLevel(grey + products[ZERO + blue - grey]!);
  }
  return { width, height, data: out };
}
