/** Thrown when bytes are not an image that can be decoded; the message says what is wrong with them. */
export class ImageDecodeError extends Error {
  /** Tells it from other errors. */
  override name = "ImageDecodeError";

  /** By name: a bundle may hold this class twice, once for its entry and once for what it loads later. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ImageDecodeError";
  }
}
