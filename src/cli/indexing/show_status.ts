import { readFailedImages } from "../../search/postgres/failed_images.ts";
import { openQueue } from "../../search/queue/index_queue.ts";
import { MAX_LISTED, type QueueStatus, queueStatus } from "../../search/queue/queue_status.ts";
import { openPostgres } from "../options/open_postgres.ts";
import type { Terminal } from "../output/terminal.ts";
import { statusText } from "./status_text.ts";

/** The status of a queue that is not there. */
const NO_QUEUE: Omit<QueueStatus, "failedImages"> = {
  waiting: { jobs: 0, images: 0 },
  active: { jobs: 0, images: 0 },
  workers: [],
  rate: 0,
  secondsLeft: 0,
  deadJobs: { count: 0, first: [] },
};

/**
 * Prints how far the index on a server is, and who works on it.
 *
 * @param db its address.
 */
export async function showStatus(db: string, json: boolean, { stdout }: Terminal): Promise<void> {
  const { index, connection } = await openPostgres(db);
  await using _index = index;
  const { schema, name } = connection;
  const queue = await openQueue(connection, schema, { create: false });
  const status = queue
    ? await queueStatus(queue)
    : { ...NO_QUEUE, failedImages: await readFailedImages(connection, index.schema, MAX_LISTED) };
  const counts = await index.counts();
  if (!json) {
    stdout.write(statusText(name, counts, status));
    return;
  }
  const { waiting, active, workers, rate, secondsLeft, failedImages, deadJobs } = status;
  stdout.write(
    JSON.stringify({
      db: name,
      ...counts,
      waiting,
      active,
      images_per_s: rate,
      seconds_left: secondsLeft ?? null,
      workers: workers.map(({ rate, silent, ...worker }) => ({
        ...worker,
        images_per_s: rate,
        seconds_silent: silent,
      })),
      failed_images: failedImages,
      dead_jobs: deadJobs,
    }) + "\n",
  );
}
