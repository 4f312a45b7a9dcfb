import type { RawImage } from "../../../image/raw_image.ts";

/** Counts an image's levels: 256 counts for each of red, green and blue, `[3, 256]`. */
export function histogram({ data }: RawImage): Uint32Array {
  const counts = new Uint32Array(3 * 256);
  for (let i = 0; i < data.length; i += 3) {
    counts[data[i]!]!++;
    counts[256 + data[i + 1]!]!++;
    counts[512 + data[i + 2]!]!++;
  }
  return counts;
}
