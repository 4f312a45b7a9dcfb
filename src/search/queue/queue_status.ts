import { type FailedImages, readFailedImages } from "../postgres/failed_images.ts";
import type { SqlClient } from "../postgres/sql_client.ts";
import type { IndexJob } from "./index_job.ts";
import type { IndexQueue } from "./index_queue.ts";
import { DEAD_QUEUE, INDEX_QUEUE } from "./queue_settings.ts";

/** Failures that are listed. */
export const MAX_LISTED = 20;

/** Seconds without a sign after which a worker counts as lost: heartbeats come far more often. */
const LOST_SECONDS = 15;

/** Jobs and the images in them. */
export interface JobCounts {
  readonly jobs: number;
  readonly images: number;
}

/** A worker, as others see it. */
export interface SeenWorker {
  readonly id: string;
  readonly host: string;
  readonly state: "live" | "lost" | "ended";
  /** Images that got their vectors. */
  readonly images: number;
  /** Images that could not be read or decoded. */
  readonly failed: number;
  /** Images a second, of late. */
  readonly rate: number;
  /** Seconds since it gave its last sign. */
  readonly silent: number;
}

/** Jobs that failed again and again. */
export interface DeadJobs {
  readonly count: number;
  /** Some of them. */
  readonly first: readonly {
    readonly source: string;
    readonly paths: readonly string[];
    readonly tries: number;
    readonly error: string;
  }[];
}

/** What a queue's workers have to do, do, and could not do. */
export interface QueueStatus {
  /** Jobs that wait, for a worker or for their next try. */
  readonly waiting: JobCounts;
  /** Jobs that workers have taken. */
  readonly active: JobCounts;
  readonly workers: readonly SeenWorker[];
  /** Images a second of all workers that live. */
  readonly rate: number;
  /** Seconds until nothing waits; undefined if nobody works. */
  readonly secondsLeft?: number;
  /** Images of the index that could not be read or decoded. */
  readonly failedImages: FailedImages;
  /** Dead letters. */
  readonly deadJobs: DeadJobs;
}

/** Reads how far a queue is. */
export async function queueStatus(queue: IndexQueue): Promise<QueueStatus> {
  // Of one moment.
  return await queue.client.transaction(async (client) => {
    await client.query("set transaction isolation level repeatable read, read only");
    const waiting = await countJobs(queue, client, "'created', 'retry'");
    const active = await countJobs(queue, client, "'active'");
    const workers = await readWorkers(queue, client);
    const rate = workers.filter(({ state }) => state === "live")
      .reduce((sum, { rate }) => sum + rate, 0);
    const left = waiting.images + active.images;
    return {
      waiting,
      active,
      workers,
      rate,
      ...(left === 0 ? { secondsLeft: 0 } : rate > 0 ? { secondsLeft: left / rate } : {}),
      failedImages: await readFailedImages(client, queue.indexSchema, MAX_LISTED),
      deadJobs: await readDeadJobs(queue, client),
    };
  });
}

/** Whether nothing waits and nothing is under way. */
export async function isEmpty({ client, schema }: IndexQueue): Promise<boolean> {
  const rows = await client.query(
    `select 1 as one from ${schema}.job
     where name = '${INDEX_QUEUE}' and state in ('created', 'retry', 'active') limit 1`,
  );
  return rows.length === 0;
}

async function countJobs(
  { schema }: IndexQueue,
  client: SqlClient,
  states: string,
): Promise<JobCounts> {
  const [row] = await client.query(
    `select count(*) as jobs, coalesce(sum(jsonb_array_length(data->'images')), 0) as images
     from ${schema}.job where name = '${INDEX_QUEUE}' and state in (${states})`,
  );
  return { jobs: Number(row!.jobs), images: Number(row!.images) };
}

async function readWorkers(
  { indexSchema }: IndexQueue,
  client: SqlClient,
): Promise<SeenWorker[]> {
  const rows = await client.query(
    `select id, host, images, failed, rate, ended, extract(epoch from clock_timestamp() - seen) as silent
     from ${indexSchema.table("worker")} order by ended, started, id`,
  );
  return rows.map(({ id, host, images, failed, rate, ended, silent }) => ({
    id: id as string,
    host: host as string,
    state: ended ? "ended" : Number(silent) > LOST_SECONDS ? "lost" : "live",
    images: Number(images),
    failed: Number(failed),
    rate: Number(rate),
    silent: Math.max(0, Number(silent)),
  }));
}

async function readDeadJobs(
  { schema }: IndexQueue,
  client: SqlClient,
): Promise<DeadJobs> {
  const from = `from ${schema}.job where name = '${DEAD_QUEUE}' and state = 'created'`;
  const [row] = await client.query(`select count(*) as count ${from}`);
  const rows = await client.query(
    `select data, source_retry_count as retries, source_output as output
     ${from} order by created_on, id limit ${MAX_LISTED}`,
  );
  return {
    count: Number(row!.count),
    first: rows.map(({ data, retries, output }) => {
      const { source, images } = data as IndexJob;
      return {
        source,
        paths: images.map(({ path }) => path),
        tries: Number(retries) + 1,
        error: errorOf(output),
      };
    }),
  };
}

/** What pg-boss keeps of a failure. */
function errorOf(output: unknown): string {
  const { message, value } = (output ?? {}) as {
    message?: string;
    value?: { message?: string };
  };
  const text = message ?? value?.message ?? JSON.stringify(output);
  return text === "job heartbeat timeout" ? "its worker was lost while it had the job" : text;
}
