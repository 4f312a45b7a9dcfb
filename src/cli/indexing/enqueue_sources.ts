import { connectPostgres } from "../../search/postgres/connect.ts";
import { PostgresIndex } from "../../search/postgres/postgres_index.ts";
import type { PostgresWriter } from "../../search/postgres/postgres_writer.ts";
import { enqueue } from "../../search/queue/enqueue.ts";
import { type IndexQueue, openQueue } from "../../search/queue/index_queue.ts";
import type { IndexedModel } from "../../search/vector_index.ts";
import { errorMessage } from "../command.ts";
import { log } from "../output/log.ts";
import { printable } from "../output/printable.ts";
import type { Terminal } from "../output/terminal.ts";
import { listSource, SourceError, sourceName } from "./list_source.ts";
import { reportImage } from "./report_image.ts";

/** Options of {@linkcode enqueueSources}. */
export interface EnqueueOptions {
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** What was enqueued. */
interface Outcome {
  jobs: number;
  /** Images in them. */
  enqueued: number;
  /** Images that workers have taken already. */
  under_way: number;
  /** Images that have not changed. */
  known: number;
  forgotten: number;
  failed: number;
}

/**
 * Lists sources, forgets what they no longer have, and leaves the rest to workers.
 *
 * @param db the address of the index, which is made if there is none.
 * @param model what the workers use.
 * @returns the exit code.
 */
export async function enqueueSources(
  sources: readonly string[],
  db: string,
  model: IndexedModel,
  { json, signal, terminal }: EnqueueOptions,
): Promise<number> {
  const warn = log("index", terminal);
  const connection = await connectPostgres(db);
  const { schema, name } = connection;
  await using index = await PostgresIndex.create(connection, model, {
    schema,
    name,
    owned: connection,
  });
  const queue = (await openQueue(connection, schema, { create: true }))!;
  const writer = await index.write();
  const outcome: Outcome = {
    jobs: 0,
    enqueued: 0,
    under_way: 0,
    known: 0,
    forgotten: 0,
    failed: 0,
  };
  let failedSources = 0;
  for (const source of sources) {
    try {
      await enqueueSource(source, queue, writer, outcome, { json, signal, terminal });
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      failedSources++;
      warn(errorMessage(error));
    }
  }
  const { jobs, enqueued, under_way, known, forgotten, failed } = outcome;
  terminal.stdout.write(
    json
      ? JSON.stringify({ db: name, ...outcome }) + "\n"
      : `${printable(name)}: ${enqueued} images in ${jobs} ${
        jobs === 1 ? "job" : "jobs"
      } wait for workers ` +
        `(\`deno task worker --db …\`); ${under_way} under way, ${known} known, ${forgotten} forgotten, ` +
        `${failed} failed\n`,
  );
  return failed + failedSources > 0 ? 1 : 0;
}

async function enqueueSource(
  source: string,
  queue: IndexQueue,
  writer: PostgresWriter,
  outcome: Outcome,
  { json, signal, terminal }: EnqueueOptions,
): Promise<void> {
  const name = sourceName(source);
  const listed = await listSource(source, signal, log("index", terminal));
  const images = listed.flatMap(({ file, image }) => file.error === undefined ? image : []);
  for (const { file: { file, error } } of listed) {
    if (error === undefined) continue;
    outcome.failed++;
    reportImage(file, error, json, terminal);
  }
  const changed = await writer.list(name, images);
  const toRead = images.filter((_, i) => changed[i]);
  outcome.known += images.length - toRead.length;
  // In this order, whatever workers write meanwhile is either kept or enqueued again.
  await writer.keep(name, toRead.map(({ path }) => path));
  const isWhole = images.length === listed.length;
  if (isWhole) outcome.forgotten += (await writer.complete(name)).images;
  const job = { source: name, folder: Deno.cwd(), images: toRead };
  const enqueued = await enqueue(queue, job);
  outcome.jobs += enqueued.jobs;
  outcome.enqueued += enqueued.images;
  outcome.under_way += enqueued.underWay;
}
