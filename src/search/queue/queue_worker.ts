import type { SqlClient } from "../postgres/sql_client.ts";
import type { IndexQueue } from "./index_queue.ts";

/** Days after which a worker that is gone is no longer shown. */
const MAX_AGE_DAYS = 1;

/** A worker of a queue. */
export interface QueueWorker {
  /** Any name that no other worker has. */
  readonly id: string;
  /** The machine's name, for people. */
  readonly host: string;
  /** Images a second, of late. */
  readonly rate: number;
}

/** Says that a worker begins. */
export async function registerWorker(
  { client, indexSchema }: IndexQueue,
  { id, host }: QueueWorker,
): Promise<void> {
  const table = indexSchema.table("worker");
  await client.query(
    `delete from ${table} where seen < now() - interval '${MAX_AGE_DAYS} days'`,
  );
  await client.query(
    `insert into ${table} (id, host) values ($1, $2) on conflict (id) do update set seen = now(), ended = false`,
    [id, host],
  );
}

/** Counts what a worker has done, in the transaction that writes it. */
export async function recordWork(
  { indexSchema }: IndexQueue,
  client: SqlClient,
  { id, host, rate }: QueueWorker,
  { images, failed }: { readonly images: number; readonly failed: number },
): Promise<void> {
  await client.query(
    `insert into ${indexSchema.table("worker")} as worker (id, host, images, failed, rate)
     values ($1, $2, $3::text::bigint, $4::text::bigint, $5::text::double precision)
     on conflict (id) do update set seen = now(), images = worker.images + excluded.images,
       failed = worker.failed + excluded.failed, rate = excluded.rate`,
    [id, host, String(images), String(failed), String(rate)],
  );
}

/** Says that a worker lives, though it may have nothing to do. */
export async function seeWorker(
  { client, indexSchema }: IndexQueue,
  id: string,
): Promise<void> {
  await client.query(`update ${indexSchema.table("worker")} set seen = now() where id = $1`, [id]);
}

/** Says that a worker has ended by itself. */
export async function endWorker(
  { client, indexSchema }: IndexQueue,
  id: string,
): Promise<void> {
  await client.query(
    `update ${indexSchema.table("worker")} set seen = now(), ended = true, rate = 0 where id = $1`,
    [id],
  );
}
