/** Thrown when bytes are not an image that can be decoded; the message says what is wrong with them. */
export class ImageDecodeError extends Error {
  /** Tells it from other errors. */
  override name = "ImageDecodeError";

  /** By name: a bundle may hold this class twice, once for its entry and once for what it loads later. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ImageDecodeError";
  }
}

/** Makes the errors for files of one format, such as `JPEG`, by what is wrong with the file. */
export function damagedAs(format: string): (what: string) => ImageDecodeError {
  return (what) => new ImageDecodeError(`Cannot decode the ${format} image: ${what}`);
}
