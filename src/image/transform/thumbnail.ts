import type { RawImage } from "../raw_image.ts";

/** Samples of each output pixel along each axis: enough to look smooth, few enough for large photos. */
const SAMPLES = 3;

/**
 * Makes a copy of an image whose sides are at most `maxSide`, in its aspect ratio. Unlike `resize` it needs no
 * memory but the copy's, and takes time for the copy's pixels only: each is the mean of 3 × 3 evenly spaced
 * pixels of its area. A smaller image is copied as it is.
 *
 * @throws {RangeError} if `maxSide` is not a positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { thumbnail } from "./thumbnail.ts";
 *
 * const image = { width: 600, height: 300, data: new Uint8Array(600 * 300 * 3).fill(9) };
 * assertEquals(thumbnail(image, 2), { width: 2, height: 1, data: new Uint8Array(6).fill(9) });
 * ```
 */
export function thumbnail(image: RawImage, maxSide: number): RawImage {
  if (!Number.isSafeInteger(maxSide) || maxSide < 1) {
    throw new RangeError(`Cannot make a thumbnail: maxSide is ${maxSide}, not a positive integer`);
  }
  const scale = Math.min(1, maxSide / Math.max(image.width, image.height));
  if (scale === 1) return { ...image, data: image.data.slice() };
  const width = Math.max(1, Math.round(scale * image.width));
  const height = Math.max(1, Math.round(scale * image.height));
  const columns = samplesOf(image.width, width);
  const rows = samplesOf(image.height, height);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < SAMPLES; i++) {
        const start = rows[SAMPLES * y + i]! * image.width;
        for (let j = 0; j < SAMPLES; j++) {
          const at = 3 * (start + columns[SAMPLES * x + j]!);
          red += image.data[at]!;
          green += image.data[at + 1]!;
          blue += image.data[at + 2]!;
        }
      }
      const to = 3 * (y * width + x);
      data[to] = Math.round(red / SAMPLES ** 2);
      data[to + 1] = Math.round(green / SAMPLES ** 2);
      data[to + 2] = Math.round(blue / SAMPLES ** 2);
    }
  }
  return { width, height, data };
}

/** [SAMPLES · to]: the positions of the samples of each output position. */
function samplesOf(from: number, to: number): Int32Array {
  return Int32Array.from(
    { length: SAMPLES * to },
    (_, i) => Math.min(from - 1, Math.floor((i + 0.5) * from / (SAMPLES * to))),
  );
}
