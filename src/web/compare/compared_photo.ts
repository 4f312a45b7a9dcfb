/** A photo that can be compared. */
export interface ComparedPhoto {
  readonly hash: string;
  readonly name: string;
  /** The name of its class; empty for a photo of none. */
  readonly label: string;
  /** The place of its class among all; -1 for a photo of none. */
  readonly classPlace: number;
  readonly embedding: Float32Array;
}
