import { assertDecodeOptions } from "./decode_options.ts";
import { DEFAULT_IMAGE_LIMITS } from "./image_header.ts";
import type { ByteSource, ImageSource, ImageSourceOptions, PixelSource } from "./image_source.ts";
import type { RawImage } from "./raw_image.ts";
import { decodeBytes } from "./sources/decode_bytes.ts";
import { drawImage, isDrawable } from "./sources/draw_image.ts";
import { fetchImage } from "./sources/fetch_image.ts";
import { pixelsToRgb } from "./sources/pixels_to_rgb.ts";
import { readBody } from "./sources/read_body.ts";

/**
 * Makes RGB pixels of an image in any form.
 *
 * - **Bytes, `Blob`, `File`, `Response`**: decoded by {@linkcode decodeImage}. A format that it refuses, such
 *   as AVIF, is decoded by the browser where there is one; its pixels may then differ between browsers.
 *   The bytes are never changed or transferred.
 * - **URL**: `data:` and `blob:` on every host. `https:` and what a page calls by a relative path are fetched:
 *   on servers from `allowedHosts` only, with every redirect held to the same rules.
 * - **Pixels**: an object with `width`, `height` and `data`, such as `ImageData`. Grey is repeated for R, G and
 *   B; alpha is dropped, not composited, as in Pillow's `convert("RGB")`.
 * - **Image element, canvas, video, `ImageBitmap`, `VideoFrame`**: drawn on a canvas and read back. Where alpha
 *   is 0, a canvas knows no colour and gives black.
 *
 * @returns the image; for a `RawImage` itself, not a copy.
 * @throws {ImageDecodeError} if the image is damaged, has an unknown format or exceeds a limit, or its URL
 * gives no image.
 * @throws {TypeError} if the source has none of these forms, its host is not allowed, or the host has no canvas.
 * @throws {RangeError} if the data of pixels do not fit their size.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { toRawImage } from "./to_raw_image.ts";
 *
 * const gif = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=";
 * const white = { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) };
 * assertEquals(await toRawImage(gif), white);
 * const grey = { width: 1, height: 1, data: Uint8Array.of(7), channels: 1 as const };
 * assertEquals((await toRawImage(grey)).data, Uint8Array.of(7, 7, 7));
 * ```
 */
export async function toRawImage(
  source: ImageSource,
  options: ImageSourceOptions = {},
): Promise<RawImage> {
  assertDecodeOptions(options);
  const { limits = DEFAULT_IMAGE_LIMITS } = options;
  if (typeof source === "string" || source instanceof URL) {
    return await decodeBytes(await fetchImage(source, options), options);
  }
  if (isBuffer(source)) return await decodeBytes(new Uint8Array(source), options);
  if (ArrayBuffer.isView(source)) {
    // A plain view: Buffer's methods, such as slice(), differ from Uint8Array's.
    const { buffer, byteOffset, byteLength } = source;
    return await decodeBytes(new Uint8Array(buffer, byteOffset, byteLength), options);
  }
  if (isByteSource(source)) {
    return await decodeBytes(await readBody(source, limits.maxBytes), options);
  }
  if (isDrawable(source)) return await drawImage(source, limits);
  if (isPixelSource(source)) return pixelsToRgb(source);
  throw new TypeError(
    `Cannot read the image: it is ${
      nameOf(source)
    }; pass bytes, a Blob, a Response, a URL, pixels ` +
      "{ width, height, data }, or what a canvas draws",
  );
}

/** By name, because `instanceof` fails for objects of another realm, such as a test runner's. */
function isBuffer(source: unknown): source is ArrayBuffer {
  return ["ArrayBuffer", "SharedArrayBuffer"].includes(nameOf(source));
}

function isByteSource(source: unknown): source is ByteSource {
  return typeof (source as ByteSource | null)?.arrayBuffer === "function";
}

function isPixelSource(source: unknown): source is PixelSource {
  return ArrayBuffer.isView((source as PixelSource | null)?.data);
}

function nameOf(source: unknown): string {
  return Object.prototype.toString.call(source).slice("[object ".length, -1);
}
