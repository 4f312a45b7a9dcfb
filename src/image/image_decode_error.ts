/**
 * The bytes are not an image that can be decoded; the message states the reason.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { decodeImage } from "./decode_image.ts";
 * import { ImageDecodeError } from "./image_decode_error.ts";
 *
 * const error = await decodeImage(Uint8Array.of(1, 2, 3)).catch((error) => error);
 * assert(error instanceof ImageDecodeError);
 * ```
 */
export class ImageDecodeError extends Error {
  /** The class's name. */
  override name = "ImageDecodeError";

  /** Compares names: a bundle may contain this class twice, in its entry and in a lazily loaded chunk. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ImageDecodeError";
  }
}

/** Makes the errors for files of one format, such as `JPEG`, by what is wrong with the file. */
export function damagedAs(format: string): (what: string) => ImageDecodeError {
  return (what) => new ImageDecodeError(`Cannot decode the ${format} image: ${what}`);
}
