/** Pixels in RGB order, 8 bits a channel, row by row from the top left. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** `height × width × 3` bytes. */
  readonly data: Uint8Array;
}
