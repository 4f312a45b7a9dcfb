import type { ImageLimits } from "./image_header.ts";

/**
 * How a JPEG is decoded.
 *
 * - `standard`: by imagescript's decoder. The pixels differ from Pillow's by at most 3 levels.
 * - `exact`: by mozjpeg, to Pillow's pixels, in about half the time; for an index of embeddings that Python
 *   fills or reads, too. CMYK, which Python's classifiers hardly meet, is decoded as by `standard`.
 * - `fast`: for an image that will be downscaled. `standard`, but the JPEG is scaled by 1/2, 1/4 or 1/8
 *   during decoding, never below `size`. After resizing, its pixels differ by a few levels.
 */
export type DecodeMode = "standard" | "exact" | "fast";

/** The modes, the default first. */
export const DECODE_MODES: readonly [DecodeMode, ...DecodeMode[]] = ["standard", "exact", "fast"];

/** Options for decoding an image. */
export interface DecodeOptions {
  /** Limits on the file, checked before it is decoded. */
  readonly limits?: ImageLimits;
  /** How a JPEG is decoded; default `standard`. Other formats are always decoded as by Pillow. */
  readonly decode?: DecodeMode;
  /** The minimum size in upright pixels. Required by, and only allowed with, `decode: "fast"`. */
  readonly size?: { readonly width: number; readonly height: number };
}

/** @throws {TypeError} if only one of `decode: "fast"` and `size` is given. */
export function assertDecodeOptions({ decode, size }: DecodeOptions): void {
  if ((decode === "fast") !== (size !== undefined)) {
    throw new TypeError('Cannot decode the image: decode: "fast" and size require each other');
  }
}
