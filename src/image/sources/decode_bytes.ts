import { isBrowser } from "../../host/is_browser.ts";
import { decodeImage } from "../decode_image.ts";
import type { DecodeOptions } from "../decode_options.ts";
import { sniffImageFormat } from "../formats/image_format.ts";
import { DEFAULT_IMAGE_LIMITS, type ImageLimits } from "../image_header.ts";
import type { DrawableSource } from "../image_source.ts";
import type { RawImage } from "../raw_image.ts";
import { drawImage } from "./draw_image.ts";
import { tooLarge } from "./read_body.ts";

/**
 * Decodes an image file: with this project's decoders; a format that they refuse with the browser's, where
 * there is one. JPEG, PNG, GIF and WebP never go to the browser, whose pixels would differ from host to host.
 *
 * @param scope the global scope, or another one for tests.
 * @throws {ImageDecodeError} if nothing here decodes it, or it exceeds a limit.
 */
export async function decodeBytes(
  bytes: Uint8Array,
  options: DecodeOptions,
  scope: object = globalThis,
): Promise<RawImage> {
  try {
    sniffImageFormat(bytes);
  } catch (refusal) {
    return await decodeInBrowser(bytes, options.limits ?? DEFAULT_IMAGE_LIMITS, scope) ??
      Promise.reject(refusal);
  }
  return await decodeImage(bytes, options);
}

/** The members of a global scope that this module uses. */
interface BitmapScope {
  readonly createImageBitmap?: (
    blob: Blob,
    options: { imageOrientation: "from-image"; colorSpaceConversion: "none" },
  ) => Promise<DrawableSource & Partial<{ close(): void }>>;
}

/**
 * Decodes a file with the browser. The file's size is checked before, the image's after decoding: the
 * browser's decoder has limits of its own.
 *
 * @returns nothing if there is no browser, or it cannot decode the file either.
 */
async function decodeInBrowser(
  bytes: Uint8Array,
  limits: ImageLimits,
  scope: object,
): Promise<RawImage | undefined> {
  const { createImageBitmap } = scope as BitmapScope;
  if (!isBrowser(scope) || !createImageBitmap || bytes.length === 0) return undefined;
  if (bytes.length > limits.maxBytes) throw tooLarge(limits.maxBytes);
  // Upright, and without the conversion of colours that Pillow does not make either.
  const settings = { imageOrientation: "from-image", colorSpaceConversion: "none" } as const;
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob, settings).catch(() => undefined);
  if (!bitmap) return undefined;
  try {
    return await drawImage(bitmap, limits, scope);
  } finally {
    bitmap.close?.();
  }
}
