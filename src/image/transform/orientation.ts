import type { ExifOrientation } from "../formats/exif.ts";
import type { RawImage } from "../raw_image.ts";

/**
 * Turns a stored image upright, as Pillow's `ImageOps.exif_transpose` does: 2 flips left–right, 3
 * rotates by 180°, 4 flips top–bottom, 5 transposes, 6 rotates by 90° clockwise, 7 transverses, 8
 * rotates by 90° anticlockwise. 5 to 8 exchange width and height. With 1 it returns `image` itself.
 */
export function toUpright(image: RawImage, orientation: ExifOrientation): RawImage {
  if (orientation === 1) return image;
  const { width, height, data } = image;
  const swapped = orientation >= 5;
  const outWidth = swapped ? height : width;
  const outHeight = swapped ? width : height;
  // Byte offsets in the stored image: of the upright image's first pixel, and to its next column and row.
  const flipX = [2, 3, 7, 8].includes(orientation);
  const flipY = [3, 4, 6, 7].includes(orientation);
  const start = 3 * ((flipY ? (height - 1) * width : 0) + (flipX ? width - 1 : 0));
  const stepX = flipX ? -3 : 3;
  const stepY = flipY ? -3 * width : 3 * width;
  const [column, row] = swapped ? [stepY, stepX] : [stepX, stepY];
  const out = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = start + y * row;
    for (let x = 0; x < outWidth; x++, from += column) {
      out[to++] = data[from]!;
      out[to++] = data[from + 1]!;
      out[to++] = data[from + 2]!;
    }
  }
  return { width: outWidth, height: outHeight, data: out };
}
