/** Thrown when bytes are not an image that can be decoded; the message says what is wrong with them. */
export class ImageDecodeError extends Error {
  /** Tells it from other errors, where `instanceof` cannot. */
  override name = "ImageDecodeError";
}
