import type { SqlClient } from "../postgres/sql_client.ts";
import type { PostgresWriter } from "../postgres/postgres_writer.ts";
import type { FailedImage, ListedImage, ReadImage } from "../vector_index.ts";
import { bossDatabase } from "./boss_of.ts";
import { type HeldJob, type IndexJob, LostJobError } from "./index_job.ts";
import type { IndexQueue } from "./index_queue.ts";
import { INDEX_QUEUE } from "./queue_settings.ts";
import { type QueueWorker, recordWork } from "./queue_worker.ts";

/** What was made of a job's images. */
export interface MadeVectors {
  readonly read: readonly ReadImage[];
  /** Images that cannot be read or decoded: they are recorded as such. */
  readonly failed: readonly FailedImage[];
  /** Images that nothing was done about: others get them. */
  readonly left: readonly ListedImage[];
}

/** Makes the vectors of a job's images. What it throws fails the job, which is tried again. */
export type MakeVectors = (job: IndexJob) => Promise<MadeVectors>;

/** What became of a job. */
export interface WorkedJob {
  readonly outcome: "completed" | "split" | "lost";
  /** Images that got their vectors, or have the bytes of others. */
  readonly images: number;
  readonly failed: readonly FailedImage[];
}

/**
 * Works on a job. Vectors, images, failed images, the worker's counters and the end of the job are one transaction. A
 * job that was tried before is split into jobs of one image each, so that one image that ends its worker
 * holds up no other. Images that are up to date, as another worker has written them, are left out.
 *
 * @throws {Error} what `make` or the database throws: then nothing is written.
 */
export async function workOnJob(
  queue: IndexQueue,
  job: HeldJob,
  writer: Pick<PostgresWriter, "list" | "put">,
  worker: QueueWorker,
  make: MakeVectors,
): Promise<WorkedJob> {
  const { source, folder, images } = job;
  if (job.retryCount > 0 && images.length > 1) {
    const singles = images.map((image) => ({ source, folder, images: [image] }));
    return await unlessLost(() =>
      queue.client.transaction(async (client) => {
        if (await complete(queue, client, job)) await insert(queue, client, singles);
        return { outcome: "split", images: 0, failed: [] };
      })
    );
  }
  const changed = await writer.list(source, images);
  const { read, failed, left } = await make({
    source,
    folder,
    images: images.filter((_, i) => changed[i]),
  });
  return await unlessLost(async () => {
    await writer.put(source, read, {
      failed,
      also: async (client) => {
        if (!await complete(queue, client, job)) return;
        if (left.length > 0) await insert(queue, client, [{ source, folder, images: left }]);
        await recordWork(queue, client, worker, { images: read.length, failed: failed.length });
      },
    });
    return { outcome: "completed", images: read.length, failed };
  });
}

/**
 * Fails a job: it is tried again later, at last as a dead letter.
 *
 * @param error what to show of it.
 */
export async function failJob({ boss }: IndexQueue, job: HeldJob, error: string): Promise<void> {
  await boss.fail(INDEX_QUEUE, job, { message: error });
}

/**
 * Completes a job in a transaction.
 *
 * @returns false if a transaction that seemed to fail has completed it before.
 * @throws {LostJobError} if the worker has lost it: then the transaction must fail.
 */
async function complete(queue: IndexQueue, client: SqlClient, job: HeldJob): Promise<boolean> {
  const { id, retryCount } = job;
  const result = await queue.boss.complete(INDEX_QUEUE, { id, retryCount }, null, {
    db: bossDatabase(client),
  });
  // Its type leaves the number out.
  if ((result as { affected?: number }).affected === 1) return true;
  const [row] = await client.query(
    `select 1 as one from ${queue.schema}.job
     where name = '${INDEX_QUEUE}' and id = $1::text::uuid and state = 'completed' and retry_count = $2::text::int`,
    [id, String(retryCount)],
  );
  if (row) return false;
  throw new LostJobError(`Cannot complete the job ${id}: another worker has it, or it was removed`);
}

async function insert({ boss }: IndexQueue, client: SqlClient, jobs: readonly IndexJob[]) {
  await boss.insert(INDEX_QUEUE, jobs.map((data) => ({ data })), { db: bossDatabase(client) });
}

async function unlessLost(write: () => Promise<WorkedJob>): Promise<WorkedJob> {
  try {
    return await write();
  } catch (error) {
    const { cause } = error as { cause?: unknown };
    if (error instanceof LostJobError || cause instanceof LostJobError) {
      return { outcome: "lost", images: 0, failed: [] };
    }
    throw error;
  }
}
