import { dirname, isAbsolute, join } from "@std/path";
import { isS3Url } from "../../dataset/s3/s3_url.ts";
import type { IndexJob } from "../../search/queue/index_job.ts";
import type { MadeVectors } from "../../search/queue/work_on_job.ts";
import type { ListedImage } from "../../search/vector_index.ts";
import {
  embeddedBatches,
  type EmbeddedBatchOptions,
  type SourceImage,
} from "./embedded_batches.ts";

/** A source that this machine cannot read, though others may. */
export class UnreadableSourceError extends Error {
  override name = "UnreadableSourceError";
}

/**
 * Embeds the images of a job.
 *
 * @param host this machine's name, for messages.
 * @throws {UnreadableSourceError} if the source is not on this machine.
 */
export async function embedJob(
  { source, folder, images }: IndexJob,
  host: string,
  options: Omit<EmbeddedBatchOptions, "maxBatch" | "maxTime">,
): Promise<MadeVectors> {
  const files = images.map((image) => sourceImage(image, folder));
  const [first] = files;
  if (first && !await isHere(source, first)) {
    throw new UnreadableSourceError(
      `Cannot read ${source}: it is not on the machine ${host}; start workers where it can be read, or enqueue ` +
        "a source that all of them can read, such as s3://BUCKET",
    );
  }
  const made: MadeVectors = { read: [], failed: [], left: [] };
  const batches = embeddedBatches(files, { ...options, maxBatch: Infinity, maxTime: Infinity });
  const [batch = made] = await Array.fromAsync(batches);
  // An interrupted batch has the first of the images.
  return { ...batch, left: images.slice(batch.read.length + batch.failed.length) };
}

function sourceImage(image: ListedImage, folder: string): SourceImage {
  const { path, range } = image;
  const here = (path: string) => isS3Url(path) || isAbsolute(path) ? path : join(folder, path);
  return {
    image,
    file: { file: here(path), ...(range ? { range: { ...range, file: here(range.file) } } : {}) },
  };
}

/** Whether a source, or the folder of its first image, is on this machine. */
async function isHere(source: string, { file: { file, range } }: SourceImage): Promise<boolean> {
  if (isS3Url(source)) return true;
  for (const path of [source, dirname(range?.file ?? file)]) {
    if (await Deno.stat(path).then(() => true, () => false)) return true;
  }
  return false;
}
