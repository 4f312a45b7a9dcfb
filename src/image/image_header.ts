import type { ExifOrientation } from "./formats/exif.ts";
import type { ImageFormat } from "./formats/image_format.ts";

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
  readonly orientation: ExifOrientation;
  /**
   * The largest image, in pixels, that the compressed data could hold. A file that declares a larger
   * size is damaged or a decompression bomb.
   */
  readonly plausiblePixels: number;
  /**
   * The highest memory use measured while decoding such an image, in bytes per pixel of its stored size.
   */
  readonly memoryPerPixel: number;
}

/** The memory that decoding an image takes besides its file, in bytes. */
export function decodeMemory({ width, height, memoryPerPixel }: ImageHeader): number {
  return width * height * memoryPerPixel;
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
