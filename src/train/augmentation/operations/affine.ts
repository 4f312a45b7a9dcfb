import type { RawImage } from "../../../image/raw_image.ts";

/** Maps a place (x, y) of the result to the place (a x + b y + c, d x + e y + f) of the image. */
export type AffineMatrix = readonly [
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
];

/** The largest coordinate that 16.16 fixed point holds. */
const MAX_COORDINATE = 2 ** 15;

/**
 * Transforms an image and keeps its size, byte for byte as Pillow's
 * `Image.transform(size, AFFINE, matrix, NEAREST)`: every pixel takes the nearest one of the image, in
 * 16.16 fixed point; what lies outside of the image is black.
 *
 * @throws {RangeError} if a corner is mapped 2¹⁵ pixels away or further, or if a coefficient is not finite.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { affine } from "./affine.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
 * // One pixel to the right.
 * assertEquals(affine(image, [1, 0, -1, 0, 1, 0]).data, Uint8Array.of(0, 0, 0, 1, 2, 3));
 * ```
 */
export function affine({ width, height, data }: RawImage, matrix: AffineMatrix): RawImage {
  const [a, b, c, d, e, f] = matrix;
  for (const [x, y] of [[0, 0], [width, 0], [0, height], [width, height]] as const) {
    const far = Math.max(Math.abs(a * x + b * y + c), Math.abs(d * x + e * y + f));
    if (!(far < MAX_COORDINATE)) {
      throw new RangeError(
        `Cannot transform ${width} × ${height} pixels by [${matrix}]: a corner is mapped ${far} pixels ` +
          `away; the limit is ${MAX_COORDINATE}`,
      );
    }
  }
  const [stepX, stepY] = [toFixed(a), toFixed(d)];
  const [rowX, rowY] = [toFixed(b), toFixed(e)];
  let startX = toFixed(c + a / 2 + b / 2);
  let startY = toFixed(f + d / 2 + e / 2);
  const out = new Uint8Array(data.length);
  let to = 0;
  for (let row = 0; row < height; row++, startX += rowX, startY += rowY) {
    let [x, y] = [startX, startY];
    for (let column = 0; column < width; column++, x += stepX, y += stepY, to += 3) {
      const [fromX, fromY] = [x >> 16, y >> 16];
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      const from = 3 * (fromY * width + fromX);
      out[to] = data[from]!;
      out[to + 1] = data[from + 1]!;
      out[to + 2] = data[from + 2]!;
    }
  }
  return { width, height, data: out };
}

function toFixed(value: number): number {
  return Math.floor(value * 65_536 + 0.5);
}
