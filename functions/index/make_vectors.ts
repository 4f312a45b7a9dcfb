import { decodeMemory, DEFAULT_IMAGE_LIMITS } from "../../src/image/image_header.ts";
import type { DecodeMode } from "../../src/image/decode_options.ts";
import type { ImageDecoder } from "../../src/image/image_decoder.ts";
import type { ServedModel } from "../../src/http/served_model.ts";
import type { MadeVectors } from "../../src/search/queue/work_on_job.ts";
import type { FailedImage, ListedImage, ReadImage } from "../../src/search/vector_index.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import { type Storage, StorageError } from "./storage.ts";
import type { WorkBudget } from "./work_budget.ts";

/** What images become vectors with. */
export interface VectorMaker {
  readonly storage: Pick<Storage, "read">;
  readonly model: ServedModel["model"];
  readonly decoder: ImageDecoder;
  readonly decode: DecodeMode;
  readonly pool: "cls" | "mean";
  /** Whether the index has the vector of an image of these bytes. */
  readonly has: (sha256: string) => Promise<boolean>;
}

/**
 * The memory for decoding an image, in bytes: with the model and all else, a function has 256 MB. A baseline JPEG of 12
 * megapixels fits, and a progressive one of 9.
 */
const MAX_DECODE_BYTES = 125_000_000;

/**
 * Reads and embeds images one by one, until the time is used up; those that remain are `left`.
 *
 * @throws {StorageError} if Storage does not answer.
 */
export async function makeVectors(
  images: readonly ListedImage[],
  maker: VectorMaker,
  budget: WorkBudget,
): Promise<MadeVectors> {
  const read: ReadImage[] = [];
  const failed: FailedImage[] = [];
  const made = new Set<string>();
  for (const [i, image] of images.entries()) {
    if (budget.isSpent) return { read, failed, left: images.slice(i) };
    const fail = (error: unknown) =>
      void failed.push({ ...image, error: error instanceof Error ? error.message : String(error) });
    let bytes;
    try {
      bytes = await maker.storage.read(image.path, DEFAULT_IMAGE_LIMITS.maxBytes);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      fail(error);
      continue;
    }
    const digest = await sha256(bytes);
    const isKnown = made.has(digest) || await maker.has(digest);
    try {
      const vector = isKnown ? undefined : await budget.count(() => embed(bytes, maker));
      made.add(digest);
      read.push({ ...image, sha256: digest, vector });
    } catch (error) {
      fail(error);
    }
  }
  return { read, failed, left: [] };
}

async function embed(
  bytes: Uint8Array<ArrayBuffer>,
  { model, decoder, decode, pool }: VectorMaker,
): Promise<Float32Array> {
  const options = model.processor.decodeOptions(decode);
  const header = await decoder.readHeader(bytes, options.limits, options.size);
  const memory = decodeMemory(header);
  if (memory > MAX_DECODE_BYTES) {
    throw new Error(
      `its ${header.width} × ${header.height} pixels would take ${
        Math.ceil(memory / 1e6)
      } MB, and a function ` +
        `has ${MAX_DECODE_BYTES / 1e6} MB for it; \`deno task worker\` can embed it`,
    );
  }
  const image = await decoder.decode(bytes, options, header);
  return (await model.embed([image], { pool })).data;
}
