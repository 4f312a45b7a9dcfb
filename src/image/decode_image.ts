import { assertDecodeOptions, type DecodeOptions } from "./decode_options.ts";
import type { Image } from "./image.ts";
import { type FormatHeader, type ImageHeader, readImageHeader } from "./image_header.ts";
import { toUpright } from "./orientation.ts";

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
  return await decodeWithHeader(bytes, readImageHeader(bytes, options.limits), options);
}

/**
 * Decodes an image whose header was read already.
 *
 * @param header what {@linkcode readImageHeader} gave for these bytes, itself or a structured clone. It
 * is trusted: it has passed the limits.
 * @throws {ImageDecodeError} if the file is damaged.
 */
export async function decodeWithHeader(
  bytes: Uint8Array,
  header: ImageHeader,
  { size }: DecodeOptions,
): Promise<Image> {
  const { orientation } = header;
  // Orientations from 5 on exchange width and height.
  const storedSize = size && orientation >= 5 ? { width: size.height, height: size.width } : size;
  const stored = await decodeStored(bytes, header as FormatHeader, storedSize);
  return toUpright(stored, orientation);
}

export { readImageHeader };

/** The pixels as they are stored. Each decoder's WebAssembly is read when there is an image for it. */
async function decodeStored(
  bytes: Uint8Array,
  header: FormatHeader,
  size: DecodeOptions["size"],
): Promise<Image> {
  switch (header.format) {
    case "jpeg":
      return (await import("./jpeg.ts")).decodeJpeg(bytes, header, size);
    case "png":
      return (await import("./png.ts")).decodePng(bytes, header);
    case "gif":
      return (await import("./gif.ts")).decodeGif(bytes, header);
    case "webp":
      return await (await import("./webp.ts")).decodeWebp(bytes, header);
  }
}
