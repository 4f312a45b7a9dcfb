import type { ImageLimits } from "./image_header.ts";

/** Options for decoding an image. */
export interface DecodeOptions {
  /** Limits on the file, checked before it is decoded. */
  readonly limits?: ImageLimits;
  /**
   * `exact`, the default, returns Pillow's pixels. `fast` is for an image that will be downscaled:
   * a JPEG is scaled by 1/2, 1/4 or 1/8 during decoding, but never below `size`. After resizing, its
   * pixels differ from Pillow's by a few levels. Other formats are decoded exactly.
   */
  readonly decode?: "exact" | "fast";
  /** The minimum size in upright pixels. Required by, and only allowed with, `decode: "fast"`. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** @throws {TypeError} if only one of `decode: "fast"` and `size` is given. */
export function assertDecodeOptions({ decode, size }: DecodeOptions): void {
  if ((decode === "fast") !== (size !== undefined)) {
    throw new TypeError('Cannot decode the image: decode: "fast" and size require each other');
  }
}
