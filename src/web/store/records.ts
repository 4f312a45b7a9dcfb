/** A class of the project. */
export interface ClassRecord {
  readonly id: string;
  /** The label. */
  readonly name: string;
  /** When it was made, in milliseconds since 1970; classes stand in this order. */
  readonly time: number;
  /** A deleted class can be restored until the project is opened again. */
  readonly deleted?: boolean;
}

/** A photo of the project, without its pixels. */
export interface PhotoRecord {
  /** The SHA-256 of the file, in hexadecimal; a photo is in the project once. */
  readonly hash: string;
  /** The file's name. */
  readonly name: string;
  readonly classId: string;
  /** When it was added, in milliseconds since 1970. */
  readonly time: number;
  /** The SHA-256 of the model's file that computed the embedding. */
  readonly model: string;
  /** [D], the CLS token of `last_hidden_state`. */
  readonly embedding: Float32Array<ArrayBuffer>;
  /** A deleted photo can be restored until the project is opened again. */
  readonly deleted?: boolean;
}

/** What is kept of a photo's pixels: the original is not kept. */
export interface PhotoImage {
  readonly hash: string;
  /** A small JPEG file to show. */
  readonly thumbnail: ArrayBuffer;
  /** Of `pixels`. */
  readonly width: number;
  /** Of `pixels`. */
  readonly height: number;
  /** RGB at the size at which the model reads photos, so that embeddings can be computed again. */
  readonly pixels: ArrayBuffer;
}
