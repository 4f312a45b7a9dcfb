import { ImageDecodeError } from "../image_decode_error.ts";

/** A format that {@linkcode decodeImage} decodes. */
export type ImageFormat = "jpeg" | "png" | "gif" | "webp";

/** The signatures of supported formats; `?` matches any byte. */
const ACCEPTED: readonly (readonly [ImageFormat, string])[] = [
  ["jpeg", "\xff\xd8\xff"],
  ["png", "\x89PNG\r\n\x1a\n"],
  ["gif", "GIF87a"],
  ["gif", "GIF89a"],
  ["webp", "RIFF????WEBP"],
];

/** The signatures of unsupported formats, which the error message names. */
const REFUSED: readonly (readonly [string, string])[] = [
  ["an AVIF image", "????ftypavi"],
  ["a HEIC image", "????ftyphei"],
  ["a HEIC image", "????ftypmif1"],
  ["a TIFF image", "II*\0"],
  ["a TIFF image", "MM\0*"],
  ["a BMP image", "BM????\0\0\0\0"],
  ["an SVG image", "<svg"],
  ["an SVG or another XML document", "<?xml"],
  ["a JPEG XL image", "\xff\x0a"],
  ["a JPEG XL image", "\0\0\0\x0cJXL \r\n\x87\n"],
  ["a PDF", "%PDF-"],
];

/**
 * Detects an image's format from its first bytes; a sender's file name or media type is not used.
 *
 * @throws {ImageDecodeError} if the file is empty or its format is not supported.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sniffImageFormat } from "./image_format.ts";
 *
 * assertEquals(sniffImageFormat(new TextEncoder().encode("GIF89a…")), "gif");
 * ```
 */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new ImageDecodeError("Cannot decode the image: it is empty");
  const format = ACCEPTED.find(([, signature]) => startsWith(bytes, signature))?.[0];
  if (format) return format;
  const name = REFUSED.find(([, signature]) => startsWith(bytes, signature))?.[0];
  throw new ImageDecodeError(
    `Cannot decode the image: it is ${name ?? "no image format known here"}; ` +
      "JPEG, PNG, GIF and WebP are decoded",
  );
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  if (bytes.length < signature.length) return false;
  for (let i = 0; i < signature.length; i++) {
    if (signature[i] !== "?" && signature.charCodeAt(i) !== bytes[i]) return false;
  }
  return true;
}
