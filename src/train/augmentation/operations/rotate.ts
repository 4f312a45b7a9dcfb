import type { RawImage } from "../../../image/raw_image.ts";
import { affine } from "./affine.ts";

/**
 * Rotates an image around its centre and keeps its size, as Pillow's `Image.rotate` with `NEAREST`; the
 * corners become black.
 *
 * @param degrees anticlockwise.
 * @throws {RangeError} if the angle is not finite.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rotate } from "./rotate.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
 * assertEquals(rotate(image, 180).data, Uint8Array.of(4, 5, 6, 1, 2, 3));
 * ```
 */
export function rotate(image: RawImage, degrees: number): RawImage {
  if (!Number.isFinite(degrees)) {
    throw new RangeError(`Cannot rotate: the angle is ${degrees}; give a number of degrees`);
  }
  const radians = -degrees * Math.PI / 180;
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
  const [x, y] = [image.width / 2, image.height / 2];
  return affine(image, [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y]);
}
