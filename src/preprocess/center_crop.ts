import { crop } from "../image/crop.ts";
import type { Image } from "../image/image.ts";

/**
 * The middle `width × height` of a picture. What is over is cut off half on each side, the half of
 * an odd number being rounded to even (torchvision's `center_crop`).
 *
 * @throws {RangeError} if the picture is smaller than that.
 */
export function centerCrop(
  image: Image,
  { width, height }: { width: number; height: number },
): Image {
  if (width > image.width || height > image.height) {
    throw new RangeError(
      `Cannot crop ${width} × ${height} out of an image of ${image.width} × ${image.height}`,
    );
  }
  const left = halfToEven(image.width - width);
  const top = halfToEven(image.height - height);
  return crop(image, left, top, width, height);
}

function halfToEven(n: number): number {
  const half = Math.floor(n / 2);
  return n % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}
