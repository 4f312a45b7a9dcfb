import type { RawImage } from "../../image/raw_image.ts";
import { luma } from "./operations/luma.ts";

/**
 * Makes an image grey; it keeps three channels. Byte for byte Pillow's `convert("L")`, which is
 * torchvision's `to_grayscale`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { grayscale } from "./grayscale.ts";
 *
 * const image = { width: 1, height: 1, data: Uint8Array.of(200, 100, 0) };
 * assertEquals(grayscale(image).data, Uint8Array.of(118, 118, 118));
 * ```
 */
export function grayscale({ width, height, data }: RawImage): RawImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    out[i] = out[i + 1] = out[i + 2] = luma(data[i]!, data[i + 1]!, data[i + 2]!);
  }
  return { width, height, data: out };
}
