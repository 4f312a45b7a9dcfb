/** Pixels in RGB order, 8 bits a channel, row by row from the top left. */
export interface RawImage {
  /** In pixels, at least 1. */
  readonly width: number;
  /** In pixels, at least 1. */
  readonly height: number;
  /** `height × width × 3` bytes. */
  readonly data: Uint8Array;
}
