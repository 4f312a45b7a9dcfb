import type { PostgresWriter } from "../../search/postgres/postgres_writer.ts";
import { enqueue } from "../../search/queue/enqueue.ts";
import { type IndexQueue, openQueue } from "../../search/queue/index_queue.ts";
import type { IndexedModel } from "../../search/vector_index.ts";
import { errorMessage } from "../command.ts";
import { createPostgres } from "../options/open_postgres.ts";
import { FailureLog } from "../output/failure_log.ts";
import { log } from "../output/log.ts";
import { printable } from "../output/printable.ts";
import type { Terminal } from "../output/terminal.ts";
import { listSource, SourceError, sourceName } from "./list_source.ts";

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
  const { index, connection } = await createPostgres(db, model);
  await using _index = index;
  const { schema, name } = connection;
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
  const failures = new FailureLog(terminal, { json });
  let failedSources = 0;
  for (const source of sources) {
    if (signal.aborted) break;
    try {
      await enqueueSource(source, { queue, writer, outcome, failures, signal, warn });
    } catch (error) {
      if (signal.aborted && error === signal.reason) break;
      if (!(error instanceof SourceError)) throw error;
      failedSources++;
      warn(errorMessage(error));
    }
  }
  failures.end(warn);
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
  if (signal.aborted) {
    warn("interrupted: the jobs of whole sources are kept; the same command goes on");
    return 1;
  }
  return failed + failedSources > 0 ? 1 : 0;
}

/** What a source is enqueued with. */
interface SourceJobs {
  readonly queue: IndexQueue;
  readonly writer: PostgresWriter;
  readonly outcome: Outcome;
  readonly failures: FailureLog;
  /** Ends it before anything of the source is changed. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

async function enqueueSource(
  source: string,
  { queue, writer, outcome, failures, signal, warn }: SourceJobs,
): Promise<void> {
  const name = sourceName(source);
  const listed = await listSource(source, signal, warn);
  signal.throwIfAborted();
  const images = listed.flatMap(({ file, image }) => file.error === undefined ? image : []);
  for (const { file: { file, error } } of listed) {
    if (error === undefined) continue;
    outcome.failed++;
    failures.add(file, error);
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
