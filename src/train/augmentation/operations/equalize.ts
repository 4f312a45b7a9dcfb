import type { RawImage } from "../../../image/raw_image.ts";
import { histogram } from "./histogram.ts";
import { mapLevels } from "./map_levels.ts";

/**
 * Spreads each channel's levels so that all are about equally frequent. Byte for byte Pillow's
 * `ImageOps.equalize`. A channel stays as it is if it has one level, or if fewer than 255 pixels are
 * below its lightest level.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { equalize } from "./equalize.ts";
 *
 * // 255 pixels of level 100, one of level 101: the dark ones get 0, the light one gets 255.
 * const data = new Uint8Array(3 * 256).fill(100);
 * data.fill(101, 3 * 255);
 * const { data: out } = equalize({ width: 16, height: 16, data });
 * assertEquals([out[0], out.at(-1)], [0, 255]);
 * ```
 */
export function equalize(image: RawImage): RawImage {
  const counts = histogram(image);
  const tables = new Uint8Array(3 * 256);
  const pixels = image.width * image.height;
  for (let channel = 0; channel < 3; channel++) {
    const levels = counts.subarray(256 * channel, 256 * (channel + 1));
    const step = Math.floor((pixels - levels[levels.findLastIndex(Boolean)]!) / 255);
    let sum = step >> 1;
    for (let v = 0; v < 256; v++) {
      tables[256 * channel + v] = step === 0 ? v : Math.min(255, Math.floor(sum / step));
      sum += levels[v]!;
    }
  }
  return mapLevels(image, tables);
}
