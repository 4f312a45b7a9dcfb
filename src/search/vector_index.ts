/** What made the vectors of an index: only vectors of the same are comparable. */
export interface IndexedModel {
  /** The SHA-256 of the model's file, in hexadecimal. */
  readonly sha256: string;
  /** The model as its user named it, for messages. */
  readonly name: string;
  /** How an image's tokens become its vector, such as `cls`. */
  readonly pool: string;
  /** How images were decoded, such as `standard`. */
  readonly decode: string;
  /** The type of the model's weights: `f32`, `f16` or `int8`; indexes of earlier versions do not say it. */
  readonly dtype?: string | undefined;
  /** The numbers of a vector. */
  readonly dimension: number;
}

/** Where an image's bytes lie in another file, such as a tar file. */
export interface FileRange {
  /** The path of the file. */
  readonly file: string;
  /** In bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** An image that a source lists. */
export interface ListedImage {
  /** The path as its user names it. */
  readonly path: string;
  /** What the source calls it, if it does. */
  readonly label?: string | undefined;
  /** The size of the file, in bytes. */
  readonly size: number;
  /**
   * When the file last changed, in milliseconds since 1970; undefined if that does not tell whether it has
   * changed since, so that its bytes must be compared.
   */
  readonly modified?: number | undefined;
  /** Set if the image is a part of a file. */
  readonly range?: FileRange | undefined;
}

/** A listed image whose bytes were read. */
export interface ReadImage extends ListedImage {
  /** The SHA-256 of its bytes, in hexadecimal. */
  readonly sha256: string;
  /** [D], of any length but finite; not needed if the index has one of the same bytes. */
  readonly vector?: Float32Array | undefined;
}

/** A listed image that could not be read, decoded or embedded. */
export interface FailedImage extends ListedImage {
  /** Why. */
  readonly error: string;
}

/** An image of an index and its vector. */
export interface IndexedImage extends Pick<ListedImage, "path" | "label" | "range"> {
  /** Of its bytes, in hexadecimal. */
  readonly sha256: string;
  /** float16 bits [D], of length 1. */
  readonly vector: Uint16Array;
}

/** An indexed image and its similarity to a query. */
export interface Neighbour extends Pick<ListedImage, "path" | "label" | "range"> {
  /** The cosine, from -1 to 1. */
  readonly similarity: number;
}

/** Which images a search takes: those that meet all conditions. A list means any of its items; an empty one, none. */
export interface ImageFilter {
  /** The label, exactly. */
  readonly label?: string | readonly string[] | undefined;
  /** A pattern of the whole path: `*` any text, also with slashes, `?` a character, `[…]` one of some. */
  readonly path?: string | readonly string[] | undefined;
}

/** Options of {@linkcode VectorIndex.search}. */
export interface SearchOptions {
  /** The most neighbours of a query, at least 1. */
  readonly k: number;
  /** Default: all images. */
  readonly where?: ImageFilter | undefined;
}

/** Options of {@linkcode VectorIndex.pairs}. */
export interface PairOptions {
  /** Called with the numbers of two contents, the lower one first, and their similarity. */
  readonly onPair: (a: number, b: number, similarity: number) => void;
  /** Called with the number of contents that were compared with all others. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
}

/** How much is in an index. */
export interface IndexCounts {
  /** Paths. */
  readonly images: number;
  /** Images of the same bytes share one. */
  readonly vectors: number;
}

/** What became of a source's images that were no longer listed. */
export interface Forgotten {
  /** How many. */
  readonly images: number;
}

/**
 * An index of images by their vectors. It takes vectors and knows no model; {@linkcode IndexedModel} says what
 * made them.
 */
export interface VectorIndex extends AsyncDisposable {
  /** What made its vectors. */
  readonly model: IndexedModel;
  /**
   * Checks that vectors of a model can be compared with the index's.
   *
   * @throws {Error} if another model made the index, or the same one otherwise; it says how to embed anew.
   */
  assertModel(model: IndexedModel): Promise<void> | void;
  /** Counts what is in it. */
  counts(): Promise<IndexCounts>;
  /** The sources that were listed, as they were named, in alphabetical order. */
  sources(): Promise<string[]>;
  /**
   * Finds the images most similar to each query. A path comes once.
   *
   * @param queries each [D], of any length.
   * @returns for each query `k` neighbours, the most similar first; fewer only if fewer images match.
   */
  search(queries: readonly Float32Array[], options: SearchOptions): Promise<Neighbour[][]>;
  /**
   * Reads the vectors of images.
   *
   * @returns for each path its vector, [D], of length 1; undefined if the index has no image of that path.
   */
  vectors(paths: readonly string[]): Promise<(Float32Array | undefined)[]>;
  /**
   * Finds all pairs of contents whose similarity is at least a threshold, each once.
   *
   * @returns the images of each content, by its number; they have the same bytes.
   */
  pairs(threshold: number, options: PairOptions): Promise<Neighbour[][]>;
  /** All images in alphabetical order of their paths. A path comes once. */
  images(): AsyncIterable<IndexedImage>;
  /**
   * Begins to write.
   *
   * @throws {Error} if the index was opened for reading.
   */
  write(): Promise<IndexWriter>;
}

/** Options of {@linkcode IndexWriter.put}. */
export interface PutOptions {
  /**
   * Images of the source that failed. An index that keeps errors keeps why; others leave them out, and
   * {@linkcode IndexWriter.complete} forgets what they had of them.
   */
  readonly failed?: readonly FailedImage[] | undefined;
}

/** Brings an index up to date with its sources. What a call has written stays, whatever comes after it. */
export interface IndexWriter extends AsyncDisposable {
  /**
   * Says which images a source has now. Those that have not changed since they were written are kept.
   *
   * @returns for each image whether its bytes must be read.
   */
  list(source: string, images: readonly ListedImage[]): Promise<boolean[]>;
  /** Whether the index has the vector of an image of these bytes. */
  has(sha256: string): Promise<boolean>;
  /** Writes images of a source, in one transaction. */
  put(source: string, images: readonly ReadImage[], options?: PutOptions): Promise<void>;
  /** Forgets the images of a source that it did not list or that were not put, since this writer began. */
  complete(source: string): Promise<Forgotten>;
  /** Gives back the room of what was forgotten. */
  finish(): Promise<void>;
}
