import { crop } from "../image/transform/crop.ts";
import type { RawImage } from "../image/raw_image.ts";

/**
 * Crops an image to its central `width × height` pixels. The left and top offsets are half of the
 * excess, rounded half to even, as in torchvision's `center_crop`.
 *
 * @throws {RangeError} if the image is smaller than the crop.
 */
export function centerCrop(
  image: RawImage,
  { width, height }: { width: number; height: number },
): RawImage {
  if (width > image.width || height > image.height) {
    throw new RangeError(
      `Cannot crop ${width} × ${height} out of an image of ${image.width} × ${image.height}`,
    );
  }
  const left = cropOffset(image.width - width);
  const top = cropOffset(image.height - height);
  return crop(image, left, top, width, height);
}

/** The left or top offset of a central crop: half of the excess, rounded half to even. */
export function cropOffset(excess: number): number {
  const half = Math.floor(excess / 2);
  return excess % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}
