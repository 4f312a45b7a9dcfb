/** The bytes are not an image that can be decoded; the message states the reason. */
export class ImageDecodeError extends Error {
  /** The class's name. */
  override name = "ImageDecodeError";

  /** Compares names: a bundle may contain this class twice, in its entry and in a lazily loaded chunk. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ImageDecodeError";
  }
}
