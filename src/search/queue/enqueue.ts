import type { ListedImage } from "../vector_index.ts";
import { bossDatabase } from "./boss_of.ts";
import type { IndexJob } from "./index_job.ts";
import type { IndexQueue } from "./index_queue.ts";
import { INDEX_QUEUE, JOB_IMAGES } from "./queue_settings.ts";
import { removeJobs } from "./remove_jobs.ts";

/** Jobs that are inserted in one statement. */
const MAX_JOBS = 200;

/** What {@linkcode enqueue} did. */
export interface Enqueued {
  /** New jobs. */
  readonly jobs: number;
  /** The images in them. */
  readonly images: number;
  /** Images that workers have taken already. */
  readonly underWay: number;
}

/**
 * Makes jobs for the images of a source. They replace the source's jobs that wait, and those that failed for good; an
 * image that a worker has under way is left to it. So a source can be enqueued at any time, and no image
 * is embedded twice.
 *
 * @param given `images`: all of the source whose bytes must be read.
 */
export async function enqueue(
  queue: IndexQueue,
  given: IndexJob,
): Promise<Enqueued> {
  const { source, images } = given;
  const { client, schema, boss } = queue;
  return await client.transaction(async (inner) => {
    await inner.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `${schema}/${source}`,
    ]);
    await removeJobs(inner, schema, source);
    const active = await inner.query(
      `select data from ${schema}.job
       where name = '${INDEX_QUEUE}' and state = 'active' and data->>'source' = $1`,
      [source],
    );
    const taken = new Set(active.flatMap(({ data }) => (data as IndexJob).images.map(keyOf)));
    // One without a time may have changed since the worker read it.
    const waiting = images.filter((image) =>
      image.modified === undefined || !taken.has(keyOf(image))
    );
    const jobs = jobsOf({ ...given, images: waiting });
    const db = bossDatabase(inner);
    for (let from = 0; from < jobs.length; from += MAX_JOBS) {
      const data = jobs.slice(from, from + MAX_JOBS).map((data) => ({ data }));
      await boss.insert(INDEX_QUEUE, data, { db });
    }
    const underWay = images.length - waiting.length;
    return { jobs: jobs.length, images: waiting.length, underWay };
  });
}

function jobsOf({ images, ...from }: IndexJob): IndexJob[] {
  const jobs: IndexJob[] = [];
  for (let first = 0; first < images.length; first += JOB_IMAGES) {
    jobs.push({ ...from, images: images.slice(first, first + JOB_IMAGES) });
  }
  return jobs;
}

/** Equal for a listed image that has not changed. */
function keyOf({ path, size, modified, range, label }: ListedImage): string {
  const { file, offset } = range ?? {};
  return JSON.stringify([path, size, modified, file, offset, label]);
}
