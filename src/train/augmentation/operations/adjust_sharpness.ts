import type { RawImage } from "../../../image/raw_image.ts";
import { blendTable, toLevel, ZERO } from "./blend_table.ts";
import { checkFactor } from "./check_factor.ts";

/**
 * Moves an image from a smoothed copy: 0 gives the smoothed image, 1 the image, 2 a sharper one. Byte for
 * byte Pillow's `ImageEnhance.Sharpness`, which is torchvision's `adjust_sharpness` of PIL images. The
 * outermost pixels stay.
 *
 * @throws {RangeError} if the factor is not a finite number of at least 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adjustSharpness } from "./adjust_sharpness.ts";
 *
 * const image = { width: 3, height: 3, data: new Uint8Array(27) };
 * image.data.fill(130, 12, 15); // a bright pixel in the middle
 * assertEquals(adjustSharpness(image, 0).data.subarray(12, 15), Uint8Array.of(50, 50, 50));
 * ```
 */
export function adjustSharpness(image: RawImage, factor: number): RawImage {
  checkFactor(factor, "sharpness");
  const { width, height, data } = image;
  const products = blendTable(factor);
  const out = data.slice();
  const stride = 3 * width;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * stride + 3; i < (y + 1) * stride - 3; i++) {
      const above = i - stride;
      const below = i + stride;
      const sum = data[above - 3]! + data[above]! + data[above + 3]! +
        data[i - 3]! + 5 * data[i]! + data[i + 3]! +
        data[below - 3]! + data[below]! + data[below + 3]!;
      const smooth = Math.floor((2 * sum + 13) / 26); // sum / 13, rounded
      out[i] = toLevel(smooth + products[ZERO + data[i]! - smooth]!);
    }
  }
  return { width, height, data: out };
}
