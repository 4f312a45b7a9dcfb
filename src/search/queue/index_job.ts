import type { ListedImage } from "../vector_index.ts";
import type { IndexQueue } from "./index_queue.ts";
import { INDEX_QUEUE } from "./queue_settings.ts";

/** What a job asks for: the vectors of some images of a source. */
export interface IndexJob {
  readonly source: string;
  /** The folder in which the source was listed: relative paths begin there. */
  readonly folder: string;
  readonly images: readonly ListedImage[];
}

/** A job that a worker has taken. */
export interface HeldJob extends IndexJob {
  readonly id: string;
  /** How often it was tried before; with `id`, it says who holds the job: the next holder has another one. */
  readonly retryCount: number;
}

/** Thrown where a job is written whose worker has lost it to another one: nothing is written. */
export class LostJobError extends Error {
  override name = "LostJobError";
}

/** Takes a job, if one waits. */
export async function takeJob({ boss }: IndexQueue): Promise<HeldJob | undefined> {
  const [job] = await boss.fetch<IndexJob>(INDEX_QUEUE);
  if (!job) return undefined;
  const { id, retryCount, data: { source, folder, images } } = job;
  return { id, retryCount, source, folder, images };
}
