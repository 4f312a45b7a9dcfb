import { decodeGif } from "./gif.ts";
import type { Image } from "./image.ts";
import type { ImageFormat } from "./image_format.ts";
import { DEFAULT_IMAGE_LIMITS, type ImageLimits, readImageHeader } from "./image_header.ts";
import { decodeJpeg } from "./jpeg.ts";
import { toUpright } from "./orientation.ts";
import { decodePng } from "./png.ts";
import { decodeWebp } from "./webp.ts";

/** How {@linkcode decodeImage} decodes. */
export interface DecodeOptions {
  /** The most that the file may ask for, checked before it is decoded. */
  readonly limits?: ImageLimits;
  /**
   * `exact`, the default, gives Pillow's pixels. `fast` is for an image that is to be made smaller
   * anyway: a JPEG is scaled down by 2, 4 or 8 while it is decoded, as far as it stays as large as
   * `size`. The pixels are no longer Pillow's: after resizing they differ by a few levels. Other
   * formats are decoded as ever.
   */
  readonly decode?: "exact" | "fast";
  /** The size in upright pixels that will do. It belongs to `decode: "fast"`. */
  readonly size?: { readonly width: number; readonly height: number };
}

/**
 * Decodes a JPEG, PNG, GIF or WebP file (of an animation the first frame) to upright RGB pixels: what
 * Pillow gives for `ImageOps.exif_transpose(Image.open(file)).convert("RGB")`. JPEG differs from it
 * by 3 levels at most, or more where it has fewer than five rows or columns; the others do not, but of
 * 16-bit grey the high byte is taken, and the colour that a PNG's tRNS chunk makes transparent comes out
 * black. An orientation counts where EXIF states it, not XMP or a PNG's text.
 *
 * It runs in the caller's thread and takes as long as it takes; {@linkcode ImageDecoder} has workers
 * and a deadline.
 *
 * @param bytes the file; its format is told from its signature.
 * @throws {ImageDecodeError} if the file is of another format, damaged or over a limit.
 * @throws {TypeError} if only one of `decode: "fast"` and `size` is given.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeImage } from "./decode_image.ts";
 *
 * const gif = Uint8Array.fromBase64("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=");
 * const white = Uint8Array.of(255, 255, 255);
 * assertEquals(await decodeImage(gif), { width: 1, height: 1, data: white });
 * ```
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<Image> {
  assertDecodeOptions(options);
  const { limits = DEFAULT_IMAGE_LIMITS, size } = options;
  const { format, orientation } = readImageHeader(bytes, limits);
  // Orientations from 5 on exchange width and height.
  const storedSize = size && orientation >= 5 ? { width: size.height, height: size.width } : size;
  const stored = format === "jpeg" ? decodeJpeg(bytes, storedSize) : await DECODERS[format](bytes);
  return toUpright(stored, orientation);
}

/** @throws {TypeError} if only one of `decode: "fast"` and `size` is given. */
export function assertDecodeOptions({ decode, size }: DecodeOptions): void {
  if ((decode === "fast") !== (size !== undefined)) {
    throw new TypeError('Cannot decode the image: decode: "fast" and size go together');
  }
}

const DECODERS: Readonly<
  Record<Exclude<ImageFormat, "jpeg">, (bytes: Uint8Array) => Image | Promise<Image>>
> = { png: decodePng, gif: decodeGif, webp: decodeWebp };
