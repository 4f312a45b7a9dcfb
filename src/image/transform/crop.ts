import type { RawImage } from "../raw_image.ts";

/** Copies a `width × height` rectangle at (left, top), which must lie within the image. */
export function crop(
  image: RawImage,
  left: number,
  top: number,
  width: number,
  height: number,
): RawImage {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * image.width + left);
    data.set(image.data.subarray(from, from + 3 * width), 3 * width * y);
  }
  return { width, height, data };
}
