import { ImageDecodeError } from "../image_decode_error.ts";
import type { ImageLimits } from "../image_header.ts";

/**
 * Checks the size of an image that the host decoded, as {@linkcode readImageHeader} checks a file's.
 *
 * @throws {ImageDecodeError} if it is 0 or exceeds a limit.
 */
export function assertSize(
  width: number,
  height: number,
  { maxSide, maxPixels }: ImageLimits,
): void {
  if (width === 0 || height === 0) {
    throw new ImageDecodeError(`Cannot read the image: its size is ${width} × ${height}`);
  }
  if (Math.max(width, height) > maxSide || width * height > maxPixels) {
    throw new ImageDecodeError(
      `Cannot read the image: its size of ${width} × ${height} is over the limit of ${maxSide} a ` +
        `side and ${maxPixels} pixels`,
    );
  }
}
