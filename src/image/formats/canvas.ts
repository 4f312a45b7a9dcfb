import type { RawImage } from "../raw_image.ts";

/**
 * Draws an animation's frame on a canvas of `width × height` pixels, at (left, top).
 *
 * @param background the RGB colour of the uncovered area, 3 bytes.
 * @throws {RangeError} if the frame exceeds the canvas.
 */
export function placeOnCanvas(
  frame: RawImage,
  left: number,
  top: number,
  { width, height }: { readonly width: number; readonly height: number },
  background: Uint8Array,
): RawImage {
  if (left + frame.width > width || top + frame.height > height) {
    throw new RangeError("Cannot place the frame: it exceeds its canvas");
  }
  if (frame.width === width && frame.height === height) return frame;
  const data = new Uint8Array(3 * width * height);
  if (background.some((level) => level > 0)) {
    for (let i = 0; i < data.length; i += 3) data.set(background, i);
  }
  for (let y = 0; y < frame.height; y++) {
    const row = frame.data.subarray(3 * frame.width * y, 3 * frame.width * (y + 1));
    data.set(row, 3 * ((top + y) * width + left));
  }
  return { width, height, data };
}
