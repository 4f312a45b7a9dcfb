import type { Orientation } from "./formats/exif.ts";
import { type GifHeader, readGifHeader } from "./formats/gif_header.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import { type ImageFormat, sniffImageFormat } from "./formats/image_format.ts";
import { type JpegHeader, readJpegHeader } from "./formats/jpeg_header.ts";
import { type PngHeader, readPngHeader } from "./formats/png_header.ts";
import { readWebpHeader, type WebpHeader } from "./formats/webp_header.ts";

/** The properties of an image file that are known before its pixels are decoded. */
export interface ImageHeader {
  /** Detected from the signature. */
  readonly format: ImageFormat;
  /** The stored width in pixels, before the orientation is applied. */
  readonly width: number;
  /** The stored height in pixels, before the orientation is applied. */
  readonly height: number;
  /** Bits per sample, or per palette index. */
  readonly bitDepth: number;
  /** Samples per pixel: 1 grey or palette index, 2 grey with alpha, 3 RGB, 4 RGBA or CMYK. */
  readonly components: number;
  /** The number of frames: 1, or more in an animation. Only the first is decoded. */
  readonly frames: number;
  /** EXIF's orientation: how to turn the stored pixels upright. */
  readonly orientation: Orientation;
  /**
   * The largest image, in pixels, that the compressed data could hold. A file that declares a larger
   * size is damaged or a decompression bomb.
   */
  readonly plausiblePixels: number;
  /** The highest memory use measured while decoding such an image, in bytes per pixel. */
  readonly memoryPerPixel: number;
}

/** Limits on an image. Each is a number above 0. */
export interface ImageLimits {
  /** File size in bytes; a 40-megapixel JPEG of best quality usually has less than 20 MB. */
  readonly maxBytes: number;
  /** Width × height; the decoders need up to 16 bytes per pixel. */
  readonly maxPixels: number;
  /** Width and height each, in pixels. */
  readonly maxSide: number;
}

/** 20 MB, 40 megapixels, 16,384 pixels per side. */
export const DEFAULT_IMAGE_LIMITS: ImageLimits = {
  maxBytes: 20_000_000,
  maxPixels: 40_000_000,
  maxSide: 16_384,
};

/** What {@linkcode readImageHeader} gives, with what the decoder of each format needs besides. */
export type FormatHeader =
  | { readonly format: "jpeg" } & JpegHeader
  | { readonly format: "png" } & PngHeader
  | { readonly format: "gif" } & GifHeader
  | { readonly format: "webp" } & WebpHeader;

const READERS: Readonly<Record<ImageFormat, (bytes: Uint8Array) => Omit<ImageHeader, "format">>> = {
  jpeg: readJpegHeader,
  png: readPngHeader,
  gif: readGifHeader,
  webp: readWebpHeader,
};

/**
 * Reads the header of a JPEG, PNG, GIF or WebP file. The header is checked against the limits and
 * against the largest image that the data could hold. The time does not depend on the declared size.
 *
 * @throws {ImageDecodeError} if the file has another format, its header is damaged, or it exceeds a
 * limit.
 */
export function readImageHeader(
  bytes: Uint8Array,
  limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
): ImageHeader {
  if (bytes.length > limits.maxBytes) {
    throw new ImageDecodeError(
      `Cannot decode the image: it has ${bytes.length} bytes, more than ${limits.maxBytes}`,
    );
  }
  const format = sniffImageFormat(bytes);
  const header = { format, ...READERS[format](bytes) };
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
