import { decodeGif } from "./gif.ts";
import type { Image } from "./image.ts";
import type { ImageFormat } from "./image_format.ts";
import {
  DEFAULT_IMAGE_LIMITS,
  type ImageHeader,
  type ImageLimits,
  readImageHeader,
} from "./image_header.ts";
import { decodeJpeg } from "./jpeg.ts";
import { toUpright } from "./orientation.ts";
import { decodePng } from "./png.ts";

const DECODERS: Readonly<Record<ImageFormat, (bytes: Uint8Array, header: ImageHeader) => Image>> = {
  jpeg: decodeJpeg,
  png: decodePng,
  gif: decodeGif,
};

/**
 * Decodes a JPEG, PNG or GIF file (its first frame) to upright RGB pixels: what Pillow gives for
 * `ImageOps.exif_transpose(Image.open(file)).convert("RGB")`. JPEG differs from it by 3 levels at
 * most; PNG and GIF by nothing but two things, of 16-bit grey the high byte is taken, and the colour
 * that a PNG's tRNS chunk makes transparent comes out black.
 *
 * @param bytes the file; its format is told from its signature.
 * @param limits the most that the file may ask for, checked before it is decoded.
 * @throws {ImageDecodeError} if the file is of another format, damaged or over a limit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeImage } from "./decode_image.ts";
 *
 * const gif = Uint8Array.from(atob("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="), (c) =>
 *   c.charCodeAt(0));
 * assertEquals(decodeImage(gif), { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) });
 * ```
 */
export function decodeImage(
  bytes: Uint8Array,
  limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
): Image {
  const header = readImageHeader(bytes, limits);
  return toUpright(DECODERS[header.format](bytes, header), header.orientation);
}
