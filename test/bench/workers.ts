/**
 * Workers of an index on Postgres: images a second of one process and of two, and how long the jobs of a killed one
 * are away. `--images N`, default 1000, are of 32 × 32 pixels, for the embedded model; each worker computes in one thread.
 * PostgreSQL is that of `POSTGRES_URL`, or one like that of `test:postgres`.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { connectPostgres } from "../../src/search/postgres/connect.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import { openQueue } from "../../src/search/queue/index_queue.ts";
import { type QueueStatus, queueStatus } from "../../src/search/queue/queue_status.ts";
import { TempFolder } from "../cli/run.ts";
import { CommandProcess } from "../postgres/command_process.ts";
import { missingPostgres, PostgresServer } from "../postgres/postgres_server.ts";
import { writePhotos } from "../postgres/write_photos.ts";
import { ArgumentError, InputError, readArguments, runBench } from "./support/arguments.ts";

/** The seconds that a process may take. */
const PATIENCE = 24 * 3600;
/** Images of the jobs that a worker holds. */
const HELD_IMAGES = 64;

await runBench("bench:workers", async () => {
  const { values } = readArguments(Deno.args, ["images"]);
  const [text = "1000"] = values.images;
  const images = Number(text);
  if (!(Number.isSafeInteger(images) && images >= 4 * HELD_IMAGES)) {
    throw new ArgumentError(`--images is ${text}, not an integer from ${4 * HELD_IMAGES} on`);
  }
  const given = Deno.env.get("POSTGRES_URL");
  const missing = given ? undefined : await missingPostgres();
  if (missing) throw new InputError(`Cannot start PostgreSQL: ${missing}`);
  await using server = given ? undefined : await PostgresServer.start();
  const url = new URL(given ?? server!.url);
  const database = `vit_msn_bench_${crypto.randomUUID().replaceAll("-", "")}`;
  url.pathname = "/postgres";
  await using admin = await connectPostgres(url.href);
  await admin.query(`create database ${database}`);
  try {
    url.pathname = `/${database}`;
    await using client = await connectPostgres(url.href);
    await client.query("create extension if not exists vector");
    await measure(client, url.href, images);
  } finally {
    await admin.query(`drop database ${database} with (force)`);
  }
});

async function measure(client: SqlClient, url: string, images: number): Promise<void> {
  using folder = new TempFolder();
  const photos = await writePhotos(folder, "photos", images);
  const one = await rateOf(1, photos, client, `${url}?schema=one`);
  console.log(`one worker: ${one.toFixed(1)} images/s`);
  const two = await rateOf(2, photos, client, `${url}?schema=two`);
  console.log(`two workers: ${two.toFixed(1)} images/s, ${(two / one).toFixed(2)} times as many`);
  const few = await writePhotos(folder, "few", HELD_IMAGES);
  const { back, done } = await loseWorker(few, client, `${url}?schema=lost`);
  console.log(
    `killed: its jobs were with another worker after ${back.toFixed(1)} s, and done after ${
      done.toFixed(1)
    } s`,
  );
}

/** Images a second, from when all workers have written something to the end. */
async function rateOf(
  count: number,
  photos: string,
  client: SqlClient,
  url: string,
): Promise<number> {
  const schema = new URL(url).searchParams.get("schema")!;
  await new CommandProcess("index", [photos, "--db", url, "--enqueue"], PATIENCE).ended;
  const workers = Array.from({ length: count }, () => startWorker(url));
  const atWork = await until(
    client,
    schema,
    ({ workers }) => workers.filter(({ images }) => images > 0).length === count,
  );
  const from = performance.now();
  const end = await until(client, schema, isDone);
  const seconds = (performance.now() - from) / 1000;
  await Promise.all(workers.map(({ ended }) => ended));
  return (counted(end) - counted(atWork)) / seconds;
}

/** Seconds until another worker has the jobs of a killed one, and until it has done them. */
async function loseWorker(
  photos: string,
  client: SqlClient,
  url: string,
): Promise<{ back: number; done: number }> {
  await new CommandProcess("index", [photos, "--db", url, "--enqueue"], PATIENCE).ended;
  const lost = startWorker(url);
  await until(client, "lost", ({ active }) => active.images === HELD_IMAGES);
  await lost.kill("SIGKILL");
  const killed = performance.now();
  const seconds = () => (performance.now() - killed) / 1000;
  const other = startWorker(url);
  // Tried again, they become jobs of one image each.
  await until(client, "lost", ({ waiting, active }) => waiting.jobs + active.jobs > 2);
  const back = seconds();
  await until(client, "lost", isDone);
  const done = seconds();
  await other.ended;
  return { back, done };
}

function startWorker(url: string): CommandProcess {
  return new CommandProcess(
    "worker",
    ["--db", url, "--exit-when-empty", "--threads", "1"],
    PATIENCE,
  );
}

async function until(
  client: SqlClient,
  schema: string,
  holds: (status: QueueStatus) => boolean,
): Promise<QueueStatus> {
  for (;;) {
    const queue = await openQueue(client, schema, { create: false });
    const status = queue && await queueStatus(queue);
    if (status && holds(status)) return status;
    await delay(50);
  }
}

function isDone({ waiting, active }: QueueStatus): boolean {
  return waiting.jobs + active.jobs === 0;
}

function counted({ workers }: QueueStatus): number {
  return workers.reduce((sum, { images }) => sum + images, 0);
}
