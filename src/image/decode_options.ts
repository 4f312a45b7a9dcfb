import type { ImageLimits } from "./image_header.ts";

/** How an image is decoded. */
export interface DecodeOptions {
  /** The most that the file may ask for, checked before it is decoded. */
  readonly limits?: ImageLimits;
  /**
   * `exact`, the default, gives Pillow's pixels. `fast` is for an image that is to be made smaller
   * anyway: a JPEG is scaled down by 2, 4 or 8 while it is decoded, as far as it stays as large as
   * `size`. The pixels are no longer Pillow's: after resizing they differ by a few levels. Other
   * formats are decoded as ever.
   */
  readonly decode?: "exact" | "fast";
  /** The size in upright pixels that will do. It belongs to `decode: "fast"`. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** @throws {TypeError} if only one of `decode: "fast"` and `size` is given. */
export function assertDecodeOptions({ decode, size }: DecodeOptions): void {
  if ((decode === "fast") !== (size !== undefined)) {
    throw new TypeError('Cannot decode the image: decode: "fast" and size go together');
  }
}
