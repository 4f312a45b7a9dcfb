import { plainBytes } from "../tensor/plain_bytes.ts";
import type { DecodeOptions } from "./decode_options.ts";
import { type GifHeader, readGifHeader } from "./formats/gif_header.ts";
import { type ImageFormat, sniffImageFormat } from "./formats/image_format.ts";
import { type JpegHeader, readJpegHeader } from "./formats/jpeg_header.ts";
import type { Size } from "./formats/jpeg_scale.ts";
import { type PngHeader, readPngHeader } from "./formats/png_header.ts";
import { readWebpHeader, type WebpHeader } from "./formats/webp_header.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import { DEFAULT_IMAGE_LIMITS, type ImageHeader, type ImageLimits } from "./image_header.ts";

/** The result of {@linkcode readImageHeader}, with the fields that only the format's decoder needs. */
export type FormatHeader =
  | { readonly format: "jpeg" } & JpegHeader
  | { readonly format: "png" } & PngHeader
  | { readonly format: "gif" } & GifHeader
  | { readonly format: "webp" } & WebpHeader;

/** Reads the header of a format. */
type HeaderReader = (bytes: Uint8Array, minimum?: Size) => Omit<ImageHeader, "format">;

const READERS: Readonly<Record<ImageFormat, HeaderReader>> = {
  jpeg: readJpegHeader,
  png: readPngHeader,
  gif: readGifHeader,
  webp: readWebpHeader,
};

/**
 * Reads the header of a JPEG, PNG, GIF or WebP file. The header is checked against the limits and
 * against the largest image that the data could hold. The time does not depend on the declared size.
 *
 * @param minimum the size of {@linkcode DecodeOptions}, which lessens the memory that a JPEG takes.
 * @throws {ImageDecodeError} if the file has another format, its header is damaged, or it exceeds a
 * limit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readImageHeader } from "./read_image_header.ts";
 *
 * const { format, width, height } = readImageHeader(await Deno.readFile("test/images/ship.jpg"));
 * assertEquals([format, width, height], ["jpeg", 480, 360]);
 * ```
 */
export function readImageHeader(
  bytes: Uint8Array,
  limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
  minimum?: DecodeOptions["size"],
): ImageHeader {
  bytes = plainBytes(bytes);
  if (bytes.length > limits.maxBytes) {
    throw new ImageDecodeError(
      `Cannot decode the image: it has ${bytes.length} bytes, more than ${limits.maxBytes}`,
    );
  }
  const format = sniffImageFormat(bytes);
  const header = { format, ...READERS[format](bytes, minimum) };
  const { width, height } = header;
  if (width === 0 || height === 0) {
    throw new ImageDecodeError(`Cannot decode the image: its size is ${width} × ${height}`);
  }
  if (Math.max(width, height) > limits.maxSide || width * height > limits.maxPixels) {
    throw new ImageDecodeError(
      `Cannot decode the image: its size of ${width} × ${height} is over the limit of ` +
        `${limits.maxSide} a side and ${limits.maxPixels} pixels`,
    );
  }
  if (width * height > header.plausiblePixels) {
    throw new ImageDecodeError(
      `Cannot decode the image: its ${bytes.length} bytes cannot hold ${width} × ${height} pixels`,
    );
  }
  return header;
}
