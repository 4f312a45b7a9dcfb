import type { PostgresWriter } from "../../search/postgres/postgres_writer.ts";
import { type HeldJob, takeJob } from "../../search/queue/index_job.ts";
import type { IndexQueue } from "../../search/queue/index_queue.ts";
import { isEmpty } from "../../search/queue/queue_status.ts";
import {
  failJob,
  type MadeVectors,
  type WorkedJob,
  workOnJob,
} from "../../search/queue/work_on_job.ts";
import { errorMessage } from "../command.ts";
import { FailureLog } from "../output/failure_log.ts";
import { log } from "../output/log.ts";
import { StatusLine } from "../output/progress/status_line.ts";
import type { Terminal } from "../output/terminal.ts";
import { embedJob, UnreadableSourceError } from "./embed_job.ts";
import type { Embedding } from "./embedded_batches.ts";
import type { Heart } from "./heart.ts";
import { pause } from "./pause.ts";
import { WorkRate } from "./work_rate.ts";

/** Jobs that a worker holds: while one is written, the other is computed. */
const HELD_JOBS = 2;

/** The time after which an idle worker looks for a job, in milliseconds. */
const IDLE = 1000;

/** The time that a worker leaves to others that may read a source, in milliseconds. */
const UNREADABLE = 3000;

/** What {@linkcode workOnJobs} works with. */
export interface WorkOptions {
  /** The worker's id. */
  readonly id: string;
  /** The machine's name. */
  readonly host: string;
  readonly queue: IndexQueue;
  readonly writer: PostgresWriter;
  readonly heart: Heart;
  readonly embedding: Embedding;
  readonly exitWhenEmpty: boolean;
  /** Runs a function that uses the server, again while that cannot be reached. */
  readonly reach: <T>(run: () => Promise<T>) => Promise<T>;
  /** Ends the work after the images under way. */
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** What a worker did. */
export interface WorkDone {
  /** Images that got their vectors. */
  images: number;
  /** Images that could not be read or decoded. */
  failed: number;
}

/**
 * Takes jobs and works on them until it is interrupted or, if so wanted, the queue is empty. Who sees it empty
 * finishes the index.
 */
export async function workOnJobs(options: WorkOptions): Promise<WorkDone> {
  const { id, host, queue, writer, heart, embedding, exitWhenEmpty, reach, json, terminal } =
    options;
  const done: WorkDone = { images: 0, failed: 0 };
  const warn = log("worker", terminal);
  const failures = new FailureLog(terminal, { json });
  const line = new StatusLine(terminal.stderr);
  const rate = new WorkRate();
  rate.begin(performance.now());
  const worker = {
    id,
    host,
    get rate() {
      return rate.perSecond;
    },
  };
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  /** Before it takes another job. */
  let rest = Promise.resolve();
  /** Set once the index is finished, until more is written. */
  let finished: Promise<void> | undefined;

  async function work(job: HeldJob): Promise<WorkedJob> {
    // Kept if the server cannot be reached when it is to be written.
    let made: MadeVectors | undefined;
    return await reach(() =>
      workOnJob(queue, job, writer, worker, async (job) => {
        if (made) return made;
        const has = (sha256: string) => reach(() => writer.has(sha256));
        made = await embedJob(job, host, { ...embedding, has, signal });
        rate.add(made.read.length + made.failed.length, performance.now());
        return made;
      })
    );
  }

  function report({ outcome, images, failed }: WorkedJob): void {
    line.clear();
    if (outcome === "lost") {
      warn("a batch went to another worker, as this one gave no sign for too long");
    }
    for (const { path, error } of failed) failures.add(path, error);
    done.images += images;
    done.failed += failed.length;
    line.draw(
      performance.now(),
      () => `${done.images} images, ${done.failed} failed, ${rate.perSecond.toFixed(1)}/s`,
    );
  }

  async function takeAndWork(): Promise<"worked" | "idle" | "empty"> {
    const job = await reach(() => takeJob(queue));
    if (!job) return await reach(() => isEmpty(queue)) ? "empty" : "idle";
    heart.hold(job);
    finished = undefined;
    try {
      report(await work(job));
    } catch (error) {
      // While it is interrupted, it does not wait for the server: others take the job.
      if (options.signal.aborted) throw error;
      line.clear();
      warn(`${errorMessage(error)} (a batch of ${job.source}; it is tried again)`);
      await reach(() => failJob(queue, job, errorMessage(error)));
      if (error instanceof UnreadableSourceError) rest = pause(UNREADABLE, signal);
    } finally {
      heart.release(job);
    }
    return "worked";
  }

  async function slot(): Promise<void> {
    for (;;) {
      await rest;
      if (signal.aborted) return;
      const state = await takeAndWork();
      if (state === "worked" || signal.aborted) continue;
      if (state === "empty") {
        await (finished ??= reach(() => writer.finish()));
        if (exitWhenEmpty) return;
      }
      await pause(IDLE, signal);
      rate.begin(performance.now());
    }
  }

  try {
    await Promise.all(Array.from({ length: HELD_JOBS }, async () => {
      try {
        await slot();
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    }));
  } finally {
    line.clear();
    failures.end(warn);
  }
  return done;
}
