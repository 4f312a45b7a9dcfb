import { computedImages } from "../../dataset/computed_images.ts";
import type { ImageFile } from "../../dataset/image_files.ts";
import type { DecodeOptions } from "../../image/decode_options.ts";
import type { ImageDecoder } from "../../image/image_decoder.ts";
import type { ViTMSNModel } from "../../model/vit_msn_model.ts";
import type { FailedImage, ListedImage, ReadImage } from "../../search/vector_index.ts";
import { rowsOf } from "../../tensor/rows_of.ts";
import { urlText } from "../options/url_argument.ts";

/** An image that a source lists, and where its bytes are. */
export interface SourceImage {
  readonly file: ImageFile;
  readonly image: ListedImage;
}

/** Images to write in one transaction; each image that was asked for is in one of the lists. */
export interface EmbeddedBatch {
  /** Those without a vector have the bytes of one that is in the index, or comes before them. */
  readonly read: readonly ReadImage[];
  readonly failed: readonly FailedImage[];
}

/** How images become vectors. */
export interface Embedding {
  readonly model: ViTMSNModel;
  readonly pool: "cls" | "mean";
  readonly decoding: DecodeOptions;
  /** Images to decode at a time. */
  readonly jobs: number;
  /** What decodes them; default: one for each call. */
  readonly decoder?: ImageDecoder;
}

/** Options of {@linkcode embeddedBatches}. */
export interface EmbeddedBatchOptions extends Embedding {
  /** Whether the index has the vector of an image of these bytes. */
  readonly has: (sha256: string) => Promise<boolean>;
  /** The most images of a batch. */
  readonly maxBatch: number;
  /** The time in milliseconds after which a batch ends with fewer images. */
  readonly maxTime: number;
  /** Called after each image, with why it failed if it did. */
  readonly onImage?: (image: ListedImage, error: string | undefined) => void;
  /** Ends the batches after the images under way. */
  readonly signal: AbortSignal;
}

/**
 * The one loop that embeds the images of an index. The same bytes are embedded once.
 *
 * @yields batches in the order of the images. The caller writes each one before it takes the next.
 */
export async function* embeddedBatches(
  images: readonly SourceImage[],
  { model, pool, has, maxBatch, maxTime, onImage = () => {}, signal, ...reading }:
    EmbeddedBatchOptions,
): AsyncGenerator<EmbeddedBatch> {
  /** The SHA-256 of contents that are under way, or failed. */
  const pending = new Set<string>();
  const failures = new Map<string, string>();
  const computed = computedImages(images.map(({ file }) => file), {
    stdin: new ReadableStream(),
    ...reading,
    explainMissing: urlText,
    async isKnown(sha256) {
      if (pending.has(sha256) || await has(sha256)) return true;
      pending.add(sha256);
      return false;
    },
    compute: async (images) => rowsOf(await model.embed(images, { pool })),
  });
  let read: ReadImage[] = [];
  let failed: FailedImage[] = [];
  let begun = performance.now();
  let next = 0;
  for await (const { sha256 = "", result: vector, error } of computed) {
    const { image } = images[next++]!;
    const failure = error ?? (vector ? undefined : failures.get(sha256));
    if (failure === undefined) read.push({ ...image, sha256, vector });
    else {
      failed.push({ ...image, error: failure });
      if (sha256 !== "") failures.set(sha256, failure);
    }
    onImage(image, failure);
    const isFull = read.length + failed.length >= maxBatch ||
      performance.now() - begun > maxTime;
    if (isFull) {
      yield { read, failed };
      // It is written. Those that are read ahead are pending still.
      for (const { sha256 } of read) pending.delete(sha256);
      [read, failed] = [[], []];
      begun = performance.now();
    }
    if (signal.aborted) break;
  }
  if (read.length + failed.length > 0) yield { read, failed };
}
