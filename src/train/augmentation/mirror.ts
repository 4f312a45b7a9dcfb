import type { RawImage } from "../../image/raw_image.ts";

/**
 * Exchanges left and right.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { mirror } from "./mirror.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
 * assertEquals(mirror(image).data, Uint8Array.of(4, 5, 6, 1, 2, 3));
 * ```
 */
export function mirror({ width, height, data }: RawImage): RawImage {
  const out = new Uint8Array(data.length);
  const stride = 3 * width;
  for (let y = 0; y < height; y++) {
    let from = (y + 1) * stride - 3;
    for (let to = y * stride; to < (y + 1) * stride; to += 3, from -= 3) {
      out[to] = data[from]!;
      out[to + 1] = data[from + 1]!;
      out[to + 2] = data[from + 2]!;
    }
  }
  return { width, height, data: out };
}
