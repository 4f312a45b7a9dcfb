import { plainBytes } from "../tensor/plain_bytes.ts";
import { assertDecodeOptions, type DecodeOptions } from "./decode_options.ts";
import type { RawImage } from "./raw_image.ts";
import type { ImageHeader } from "./image_header.ts";
import { asStored } from "./formats/jpeg_scale.ts";
import { type FormatHeader, readImageHeader } from "./read_image_header.ts";
import { toUpright } from "./transform/orientation.ts";

/**
 * Decodes a JPEG, PNG, GIF or WebP file to upright RGB pixels; from an animation, the first frame. The
 * pixels are those of Pillow's `ImageOps.exif_transpose(Image.open(file)).convert("RGB")`, with these
 * exceptions: JPEG differs by at most 3 levels, or more with fewer than five rows or columns, unless
 * `decode` is `exact`; 16-bit grey is reduced to its high byte; and the colour that a PNG's tRNS chunk makes transparent becomes
 * black. The orientation is read from EXIF only, not from XMP or a PNG's text.
 *
 * It runs in the caller's thread, without a deadline; {@linkcode ImageDecoder} has workers and a
 * deadline.
 *
 * @param bytes the file; its signature determines the format.
 * @throws {ImageDecodeError} if the file has another format, is damaged or exceeds a limit.
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
): Promise<RawImage> {
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
  { decode, size }: DecodeOptions,
): Promise<RawImage> {
  bytes = plainBytes(bytes);
  const { orientation } = header;
  const storedSize = asStored(size, orientation);
  const stored = await decodeStored(bytes, header as FormatHeader, decode === "exact", storedSize);
  return toUpright(stored, orientation);
}

export { readImageHeader };

/** The pixels as they are stored. Each decoder's WebAssembly is read when there is an image for it. */
async function decodeStored(
  bytes: Uint8Array,
  header: FormatHeader,
  exact: boolean,
  size: DecodeOptions["size"],
): Promise<RawImage> {
  switch (header.format) {
    case "jpeg":
      if (exact && header.components < 4) {
        return await (await import("./formats/jpeg_exact.ts")).decodeJpegExactly(bytes, header);
      }
      return (await import("./formats/jpeg.ts")).decodeJpeg(bytes, header, size);
    case "png":
      return (await import("./formats/png.ts")).decodePng(bytes, header);
    case "gif":
      return (await import("./formats/gif.ts")).decodeGif(bytes, header);
    case "webp":
      return await (await import("./formats/webp.ts")).decodeWebp(bytes, header);
  }
}
