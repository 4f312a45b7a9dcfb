import type { Orientation } from "./exif.ts";
import { type GifHeader, readGifHeader } from "./gif_header.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import { type ImageFormat, sniffImageFormat } from "./image_format.ts";
import { type JpegHeader, readJpegHeader } from "./jpeg_header.ts";
import { type PngHeader, readPngHeader } from "./png_header.ts";
import { readWebpHeader, type WebpHeader } from "./webp_header.ts";

/** What an image file says of itself before its pixels are decoded. */
export interface ImageHeader {
  /** Told from the signature. */
  readonly format: ImageFormat;
  /** The stored size in pixels, before the orientation is applied. */
  readonly width: number;
  /** The stored size in pixels, before the orientation is applied. */
  readonly height: number;
  /** Bits a sample, or a palette's index. */
  readonly bitDepth: number;
  /** Samples a pixel: 1 grey or a palette's index, 2 with alpha, 3 colour, 4 with alpha or CMYK. */
  readonly components: number;
  /** 1, or more in an animation, of which the first is decoded. */
  readonly frames: number;
  /** How to turn the stored pixels upright. */
  readonly orientation: Orientation;
  /**
   * The most pixels that the file's compressed data can stand for. A file with a larger size is no
   * picture but an attempt to make the decoder allocate.
   */
  readonly plausiblePixels: number;
  /** The most bytes that a process has been seen to take per pixel while it decodes such an image. */
  readonly memoryPerPixel: number;
}

/** The most that an image may ask for. Each limit is a number above 0. */
export interface ImageLimits {
  /** The file's size; 20 MB is more than a 40-megapixel JPEG of best quality usually has. */
  readonly maxBytes: number;
  /** Width × height; the decoders need up to 16 bytes a pixel. */
  readonly maxPixels: number;
  /** Width and height each. */
  readonly maxSide: number;
}

/** 20 MB, 40 megapixels, 16,384 pixels a side. */
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
 * Reads the header of a JPEG, PNG, GIF or WebP file and holds it against limits and against the size
 * of the file, in time that depends on the number of its segments and not on its pixels.
 *
 * @throws {ImageDecodeError} if it is no such file, its header is damaged, or it is over a limit.
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
