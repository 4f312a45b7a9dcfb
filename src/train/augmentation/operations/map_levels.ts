import type { RawImage } from "../../../image/raw_image.ts";

/**
 * Replaces every byte by a table's entry, as Pillow's `Image.point`.
 *
 * @param tables 256 entries for each of red, green and blue (768), or 256 for all three.
 */
export function mapLevels({ width, height, data }: RawImage, tables: Uint8Array): RawImage {
  const [green, blue] = tables.length === 256 ? [0, 0] : [256, 512];
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    out[i] = tables[data[i]!]!;
    out[i + 1] = tables[green + data[i + 1]!]!;
    out[i + 2] = tables[blue + data[i + 2]!]!;
  }
  return { width, height, data: out };
}
