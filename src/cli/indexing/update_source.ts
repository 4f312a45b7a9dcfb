import { isPostgresUrl } from "../../search/postgres/postgres_address.ts";
import type { IndexWriter } from "../../search/vector_index.ts";
import type { FailureLog } from "../output/failure_log.ts";
import { log } from "../output/log.ts";
import { Progress } from "../output/progress/progress.ts";
import type { Terminal } from "../output/terminal.ts";
import { embeddedBatches, type Embedding } from "./embedded_batches.ts";
import { forgetJobs } from "./forget_jobs.ts";
import { listSource, SourceError } from "./list_source.ts";

/** What a run did. */
export interface Outcome {
  embedded: number;
  /** Images whose vectors were there already. */
  known: number;
  forgotten: number;
  failed: number;
}

/** What the images of a source are embedded with. */
export interface SourceJob {
  readonly db: string;
  /** The source's name in the index: the same one from any folder. */
  readonly name: string;
  readonly writer: IndexWriter;
  readonly embedding: Embedding;
  readonly outcome: Outcome;
  readonly failures: FailureLog;
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** Images that are written in one transaction. */
const MAX_BATCH = 256;
/** The time after which fewer are written, in milliseconds: what an interruption may cost. */
const MAX_BATCH_TIME = 2000;

/**
 * Removes the images of a source from an index.
 *
 * @throws {SourceError} if the index has no such source; the message names those that it has.
 */
export async function forgetSource(
  source: string,
  { db, name, writer, outcome }: SourceJob,
  known: readonly string[],
): Promise<void> {
  if (!known.includes(name)) {
    const all = known.length === 0 ? "none" : known.join(", ");
    throw new SourceError(
      `Cannot forget ${source}: it is no source of the index; its sources: ${all}`,
    );
  }
  // First the jobs, whose images workers would write anew.
  if (isPostgresUrl(db)) await forgetJobs(db, name);
  outcome.forgotten += (await writer.complete(name)).images;
}

/**
 * Brings an index up to date with a source. After an abort, what was embedded is kept.
 *
 * @throws {SourceError} if the source cannot be listed.
 */
export async function updateSource(source: string, job: SourceJob): Promise<void> {
  const { name, writer, outcome, failures, signal, terminal } = job;
  const listed = await listSource(source, signal, log("index", terminal));
  const isWhole = listed.every(({ file }) => file.error === undefined);
  const changed = await writer.list(name, listed.map(({ image }) => image));
  const toRead = listed.filter((_, i) => changed[i]);
  outcome.known += listed.length - toRead.length;
  const progress = new Progress(toRead.length, terminal.stderr);
  const batches = embeddedBatches(toRead, {
    ...job.embedding,
    has: (sha256) => writer.has(sha256),
    maxBatch: MAX_BATCH,
    maxTime: MAX_BATCH_TIME,
    onImage({ path }, failure) {
      if (failure !== undefined) {
        progress.clear();
        failures.add(path, failure);
      }
      progress.advance();
    },
    signal,
  });
  for await (const batch of batches) {
    const { read, failed } = batch;
    await writer.put(name, read, { failed });
    const embedded = read.filter(({ vector }) => vector !== undefined).length;
    outcome.embedded += embedded;
    outcome.known += read.length - embedded;
    outcome.failed += failed.length;
  }
  progress.clear();
  if (signal.aborted) return;
  if (isWhole) outcome.forgotten += (await writer.complete(name)).images;
}
