import type { ServedModel } from "../../src/http/served_model.ts";
import { DECODE_MODES, type DecodeMode } from "../../src/image/decode_options.ts";
import type { ImageDecoder } from "../../src/image/image_decoder.ts";
import { forgetImage, sourcesOfImage } from "../../src/search/postgres/image_sources.ts";
import { isTransient, postgresError } from "../../src/search/postgres/postgres_error.ts";
import { PostgresIndex } from "../../src/search/postgres/postgres_index.ts";
import type { PostgresWriter } from "../../src/search/postgres/postgres_writer.ts";
import { retried } from "../../src/search/postgres/retried.ts";
import type { SqlClient } from "../../src/search/postgres/sql_client.ts";
import { beat } from "../../src/search/queue/beat.ts";
import { type HeldJob, type IndexJob, takeJob } from "../../src/search/queue/index_job.ts";
import { type IndexQueue, openQueue } from "../../src/search/queue/index_queue.ts";
import { BEAT_SECONDS, INDEX_QUEUE } from "../../src/search/queue/queue_settings.ts";
import { endWorker, registerWorker } from "../../src/search/queue/queue_worker.ts";
import { failJob, type MakeVectors, workOnJob } from "../../src/search/queue/work_on_job.ts";
import type { FailedImage } from "../../src/search/vector_index.ts";
import { makeVectors, type VectorMaker } from "./make_vectors.ts";
import { type Storage, StorageError } from "./storage.ts";
import type { StorageChange } from "./storage_event.ts";
import { type BudgetLimits, DEFAULT_BUDGET, WorkBudget } from "./work_budget.ts";

/** What an {@linkcode IndexService} works with. */
export interface IndexServiceOptions {
  /** Connects to the database; called again after a failure. */
  readonly connect: () => Promise<SqlClient>;
  /** The index's schema. */
  readonly schema: string;
  readonly model: () => Promise<ServedModel>;
  /** The model's name, for messages. */
  readonly name: string;
  /** How images of a new index are decoded; those of another one as it says. */
  readonly decode: DecodeMode;
  readonly decoder: ImageDecoder;
  readonly storage: Pick<Storage, "read">;
  readonly budget?: BudgetLimits;
}

/** An image that is not in the index, and why. */
export interface FailedPath {
  readonly path: string;
  readonly error: string;
}

/** What a change of Storage led to. */
export interface ChangeOutcome {
  /** Images that were embedded, or have the bytes of others. */
  readonly images: number;
  /** Images that have not changed. */
  readonly known: number;
  readonly forgotten: number;
  readonly failed: readonly FailedPath[];
  /** Images that the queue got, since Storage does not answer now. */
  readonly queued: number;
}

/** A job that was worked on. */
export interface JobOutcome {
  readonly id: string;
  readonly images: number;
  readonly failed: readonly FailedPath[];
  /** Images that are left to another call. */
  readonly left: number;
  /** Why it failed as a whole; it is tried again. */
  readonly error?: string;
}

/** What a call did of the queue. */
export interface BatchOutcome {
  readonly jobs: readonly JobOutcome[];
  /** Jobs that wait still. */
  readonly waiting: number;
}

/** The name of all functions together among the workers. */
const WORKER = { id: "functions/index", host: "functions/index", rate: 0 };

/** What is open in this instance. */
interface Opened {
  readonly client: SqlClient;
  readonly index: PostgresIndex;
  readonly maker: Omit<VectorMaker, "has">;
}

/** Keeps an index in Postgres up to date with Storage: by its changes, and by the queue. */
export class IndexService {
  readonly #options: IndexServiceOptions;
  #opened: Promise<Opened> | undefined;

  constructor(options: IndexServiceOptions) {
    this.#options = options;
  }

  /**
   * Embeds an image that was written, and forgets one that is gone.
   *
   * @throws {Error} if the index cannot be used.
   */
  async change({ source, written, gone }: StorageChange): Promise<ChangeOutcome> {
    const { client, index, maker } = await this.#open();
    const none = { images: 0, known: 0, forgotten: 0, failed: [], queued: 0 };
    const forgotten = gone !== undefined && await forgetImage(client, index.schema, gone) ? 1 : 0;
    if (!written) return { ...none, forgotten };
    await using writer = await index.write();
    // A folder of the bucket may be a source, too.
    const sources = new Set([
      source!,
      ...await sourcesOfImage(client, index.schema, written.path),
    ]);
    const stale: string[] = [];
    for (const name of sources) {
      if ((await writer.list(name, [written]))[0]) stale.push(name);
    }
    if (stale.length === 0) return { ...none, known: 1, forgotten };
    const budget = new WorkBudget();
    const has = (sha256: string) => writer.has(sha256);
    try {
      const { read, failed } = await makeVectors([written], { ...maker, has }, budget);
      for (const name of stale) await writer.put(name, read, { failed });
      return { ...none, images: read.length, failed: failed.map(toFailedPath), forgotten };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const queue = await this.#queue(client, index);
      const jobs = stale.map((source): { data: IndexJob } => ({
        data: { source, folder: "/", images: [written] },
      }));
      await queue.boss.insert(INDEX_QUEUE, jobs);
      return { ...none, forgotten, queued: 1 };
    }
  }

  /**
   * Works on jobs of the queue until nothing waits or the time is used up, and gives back the rest.
   *
   * @param most images to embed.
   * @throws {Error} if the index or the queue cannot be used.
   */
  async batch(most = Infinity): Promise<BatchOutcome> {
    const { client, index, maker } = await this.#open();
    const queue = await this.#queue(client, index);
    await using writer = await index.write();
    const budget = new WorkBudget(this.#options.budget ?? DEFAULT_BUDGET);
    await beat(queue, []); // brings back what lost workers had
    const jobs: JobOutcome[] = [];
    while (most > 0 && !budget.isSpent) {
      const job = await takeJob(queue);
      if (!job) break;
      if (jobs.length === 0) await registerWorker(queue, WORKER);
      const outcome = await workOn(job, { queue, writer, maker, budget, most });
      most -= outcome.images + outcome.failed.length;
      jobs.push(outcome);
      // The database or Storage does not answer: the next job would fail, too.
      if (outcome.error !== undefined) break;
    }
    if (jobs.length > 0) await endWorker(queue, WORKER.id);
    const { waiting, active } = await countJobs(queue);
    if (jobs.length > 0 && waiting + active === 0) await writer.finish();
    return { jobs, waiting };
  }

  async #open(): Promise<Opened> {
    const opened = this.#opened ??= this.#openAll();
    try {
      return await opened;
    } catch (error) {
      if (this.#opened === opened) this.#opened = undefined; // the next call tries again
      throw error;
    }
  }

  async #openAll(): Promise<Opened> {
    const { connect, model, schema, name, decode, decoder, storage } = this.#options;
    const [client, { model: vit, sha256 }] = await Promise.all([connect(), model()]);
    // An index says itself how its images are decoded and pooled.
    const made = await PostgresIndex.open(client, { schema })
      .then(({ model }) => model, () => undefined);
    const indexed = {
      sha256,
      name,
      pool: made?.pool === "mean" ? "mean" : "cls",
      decode: decodeOf(made?.decode) ?? decode,
      dimension: vit.config.hiddenSize,
    } as const;
    const index = await PostgresIndex.create(client, indexed, { schema });
    const maker = { storage, model: vit, decoder, decode: indexed.decode, pool: indexed.pool };
    return { client, index, maker };
  }

  async #queue(client: SqlClient, { schema }: PostgresIndex): Promise<IndexQueue> {
    try {
      // An instance that has slept may find that its connections are closed.
      return (await retried(() => openQueue(client, schema.name, { create: true })))!;
    } catch (error) {
      throw isTransient(error) ? postgresError(`open the queue of ${schema.name}`, error) : error;
    }
  }
}

/** What a job is worked on with. */
interface JobWork {
  readonly queue: IndexQueue;
  readonly writer: PostgresWriter;
  readonly maker: Omit<VectorMaker, "has">;
  readonly budget: WorkBudget;
  /** The most images. */
  readonly most: number;
}

async function workOn(
  job: HeldJob,
  { queue, writer, maker, budget, most }: JobWork,
): Promise<JobOutcome> {
  const begun = performance.now();
  const ticks = setInterval(() => {
    beat(queue, [job]).catch(() => {}); // a job that is lost is not written
  }, 1000 * BEAT_SECONDS);
  let left = 0;
  const make: MakeVectors = async ({ images }) => {
    const has = (sha256: string) => writer.has(sha256);
    const made = await makeVectors(images.slice(0, most), { ...maker, has }, budget);
    const rest = [...made.left, ...images.slice(most)];
    left = rest.length;
    return { ...made, left: rest };
  };
  const worker = {
    ...WORKER,
    // When it is written.
    get rate() {
      return (job.images.length - left) / Math.max(0.001, (performance.now() - begun) / 1000);
    },
  };
  try {
    const { images, failed } = await workOnJob(queue, job, writer, worker, make);
    return { id: job.id, images, failed: failed.map(toFailedPath), left };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await failJob(queue, job, message);
    return { id: job.id, images: 0, failed: [], left: job.images.length, error: message };
  } finally {
    clearInterval(ticks);
  }
}

async function countJobs(
  { client, schema }: IndexQueue,
): Promise<{ waiting: number; active: number }> {
  const [row] = await client.query(
    `select count(*) filter (where state <> 'active') as waiting,
      count(*) filter (where state = 'active') as active
    from ${schema}.job where name = '${INDEX_QUEUE}' and state in ('created', 'retry', 'active')`,
  );
  return { waiting: Number(row!.waiting), active: Number(row!.active) };
}

function toFailedPath({ path, error }: FailedImage): FailedPath {
  return { path, error };
}

function decodeOf(text: string | undefined): DecodeMode | undefined {
  return DECODE_MODES.find((mode) => mode === text);
}
