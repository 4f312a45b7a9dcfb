import type { RawImage } from "../../../image/raw_image.ts";
import { histogram } from "./histogram.ts";
import { mapLevels } from "./map_levels.ts";

/**
 * Stretches each channel so that its darkest level becomes 0 and its lightest 255. Byte for byte Pillow's
 * `ImageOps.autocontrast`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { autoContrast } from "./auto_contrast.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(50, 7, 0, 150, 7, 255) };
 * assertEquals(autoContrast(image).data, Uint8Array.of(0, 7, 0, 255, 7, 255));
 * ```
 */
export function autoContrast(image: RawImage): RawImage {
  const counts = histogram(image);
  const tables = new Uint8Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    const levels = counts.subarray(256 * channel, 256 * (channel + 1));
    const low = levels.findIndex(Boolean);
    const high = levels.findLastIndex(Boolean);
    const scale = high > low ? 255 / (high - low) : 1;
    const offset = high > low ? -low * scale : 0;
    for (let v = 0; v < 256; v++) {
      tables[256 * channel + v] = Math.min(255, Math.max(0, Math.trunc(v * scale + offset)));
    }
  }
  return mapLevels(image, tables);
}
