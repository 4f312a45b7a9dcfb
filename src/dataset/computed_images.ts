import type { RawImage } from "../image/raw_image.ts";
import { type DecodedImage, decodedImages, type ReadAheadOptions } from "./decoded_images.ts";
import type { ImageFile } from "./image_files.ts";

/** A file's result or error; neither if the file `isKnown`. */
export type ComputedImage<Result> =
  & Pick<DecodedImage, "file" | "sha256">
  & (
    | { readonly result: Result; readonly error?: never }
    | { readonly error: string; readonly result?: never }
    | { readonly result?: never; readonly error?: never }
  );

/** Options of {@linkcode computedImages}. */
export interface ComputeOptions<Result> extends Omit<ReadAheadOptions, "workers"> {
  /** Standard input, for `-`. */
  readonly stdin: ReadableStream<Uint8Array>;
  /** Images to decode at a time; with more than one, `compute` gets batches. */
  readonly jobs: number;
  /** Computes the results of images, in their order; it may be called again before it resolves. */
  readonly compute: (images: readonly RawImage[]) => Promise<readonly Result[]>;
}

/** Images of a job in a batch: threads wait for each other only at its end. */
const BATCH_PER_JOB = 8;
/** The size of a batch's pixels, in bytes, above which no more images join it. */
const MAX_BATCH_BYTES = 64 * 2 ** 20;
/** Batches in progress: one is computed, the next is gathered, the previous one is used. */
const MAX_BATCHES = 2;

/**
 * The one loop over images: reads ahead, decodes in a pool of workers, gathers batches and computes a
 * result for each. With one job, images are computed one by one. If a batch fails, its images are
 * computed one by one, so that an image fails alone.
 *
 * @yields a result or an error for each file, in the order of the files.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { computedImages } from "./computed_images.ts";
 *
 * const files = [{ file: "test/images/ship.jpg" }, { file: "test/images/dog.jpg" }];
 * const widths = computedImages(files, {
 *   stdin: new ReadableStream(),
 *   jobs: 2,
 *   compute: (images) => Promise.resolve(images.map(({ width }) => width)),
 * });
 * assertEquals((await Array.fromAsync(widths)).map(({ result }) => result), [480, 400]);
 * ```
 */
export async function* computedImages<Result>(
  files: readonly ImageFile[],
  { stdin, jobs, compute, ...reading }: ComputeOptions<Result>,
): AsyncGenerator<ComputedImage<Result>> {
  const images = decodedImages(files, stdin, { ...reading, workers: jobs });
  const underWay: Promise<ComputedImage<Result>[]>[] = [];
  try {
    for await (const batch of batches(images, jobs === 1 ? 1 : jobs * BATCH_PER_JOB)) {
      underWay.push(computeBatch(batch, compute));
      if (jobs > 1 && underWay.length < MAX_BATCHES) continue;
      yield* await underWay.shift()!;
    }
    while (underWay.length > 0) yield* await underWay.shift()!;
  } finally {
    // After an early end, the caller may now dispose of the model.
    await Promise.all(underWay);
  }
}

/** Gathers images up to a number or a size in bytes. */
async function* batches(
  images: AsyncIterable<DecodedImage>,
  size: number,
): AsyncGenerator<DecodedImage[]> {
  let batch: DecodedImage[] = [];
  let bytes = 0;
  for await (const decoded of images) {
    batch.push(decoded);
    bytes += decoded.image?.data.length ?? 0;
    if (batch.length < size && bytes < MAX_BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Never rejects: failures become the errors of images. */
async function computeBatch<Result>(
  batch: readonly DecodedImage[],
  compute: ComputeOptions<Result>["compute"],
): Promise<ComputedImage<Result>[]> {
  const images = batch.flatMap(({ image }) => image ?? []);
  let results: readonly Result[];
  try {
    results = images.length > 0 ? await compute(images) : [];
  } catch (error) {
    // One image of the batch may have caused the error.
    if (batch.length > 1) return await oneByOne(batch, compute);
    const { image: _, ...from } = batch[0]!;
    return [{ ...from, error: error instanceof Error ? error.message : String(error) }];
  }
  let next = 0;
  return batch.map((decoded) => {
    if (!decoded.image) return decoded;
    const { image: _, ...from } = decoded;
    return { ...from, result: results[next++]! };
  });
}

async function oneByOne<Result>(
  batch: readonly DecodedImage[],
  compute: ComputeOptions<Result>["compute"],
): Promise<ComputedImage<Result>[]> {
  const computed: ComputedImage<Result>[] = [];
  for (const decoded of batch) computed.push(...await computeBatch([decoded], compute));
  return computed;
}
