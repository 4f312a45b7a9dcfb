import { crop } from "./crop.ts";
import type { RawImage } from "../raw_image.ts";

/** The sides of a crop relative to the image's. */
const CROP = 0.85;

/**
 * Returns 7 views of an image: the image itself, its mirror image, and five crops with 85 % of its
 * width and height, at the corners and in the middle.
 */
export function viewsOf(image: RawImage): RawImage[] {
  const width = Math.max(1, Math.round(CROP * image.width));
  const height = Math.max(1, Math.round(CROP * image.height));
  const [right, bottom] = [image.width - width, image.height - height];
  const corners = [[0, 0], [right, 0], [0, bottom], [right, bottom]] as const;
  const middle = [right >> 1, bottom >> 1] as const;
  return [
    image,
    mirrored(image),
    ...[...corners, middle].map(([x, y]) => crop(image, x, y, width, height)),
  ];
}

function mirrored({ width, height, data }: RawImage): RawImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      out.set(data.subarray(from, from + 3), 3 * (y * width + width - 1 - x));
    }
  }
  return { width, height, data: out };
}
