import { delay } from "@std/async/delay";
import { IS_WORKERD } from "../../host/workerd.ts";
import { stackRows } from "../../tensor/stack_rows.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { timedOut } from "../deadline.ts";

/** Options of an {@linkcode InferenceQueue}. */
export interface InferenceQueueOptions {
  /** The largest batch; read before each run. */
  readonly maxBatch: () => number;
  /** Called with the time of each batch, in milliseconds. */
  readonly onBatch: (images: number, milliseconds: number) => void;
}

/** Work on images. Images with the same key may share a batch. */
export interface InferenceWork<R> {
  readonly key: string;
  /**
   * @param pixelValues [B, C, H, W]
   * @returns the results of the B images.
   */
  run(pixelValues: Tensor<"float32">): Promise<R[]>;
}

/** An image that waits for the model. */
interface Job {
  readonly work: InferenceWork<unknown>;
  /** [1, C, H, W] */
  readonly pixelValues: Tensor<"float32">;
  /** Whether the caller no longer waits for the result. */
  readonly isAbandoned: () => boolean;
  /** The result, when its run began and how many milliseconds it took. */
  resolve(done: { result: unknown; start: number; time: number }): void;
  reject(error: unknown): void;
}

/**
 * The images that wait for a model, first come, first served. The event loop runs between two batches, so
 * that other requests wait for one batch at most.
 */
export class InferenceQueue {
  readonly #options: InferenceQueueOptions;
  readonly #jobs: Job[] = [];
  #isRunning = false;

  /** Makes an empty queue. */
  constructor(options: InferenceQueueOptions) {
    this.#options = options;
  }

  /**
   * Runs the model on an image when its turn comes.
   *
   * @param pixelValues [1, C, H, W]
   * @param isAbandoned checked when its turn comes: if the caller no longer waits, it is not run.
   * @returns the result, when the run began (`performance.now`) and its time in milliseconds.
   * @throws {Problem} 504 if it was not run.
   */
  async run<R>(
    work: InferenceWork<R>,
    pixelValues: Tensor<"float32">,
    isAbandoned: () => boolean,
  ): Promise<{ result: R; start: number; time: number }> {
    const done = new Promise<{ result: unknown; start: number; time: number }>(
      (resolve, reject) => this.#jobs.push({ work, pixelValues, isAbandoned, resolve, reject }),
    );
    if (!this.#isRunning) void this.#drain();
    return await done as { result: R; start: number; time: number };
  }

  async #drain(): Promise<void> {
    this.#isRunning = true;
    // An image alone, of an idle engine, has nothing to wait for; the first batch gathers its images.
    let isFirst = this.#options.maxBatch() === 1;
    while (this.#jobs.length > 0) {
      if (!isFirst) await nextTurn();
      isFirst = false;
      const batch = this.#nextBatch();
      if (batch.length > 0) await this.#runBatch(batch);
    }
    this.#isRunning = false;
  }

  /** The first image, and later ones with the same key. */
  #nextBatch(): Job[] {
    const batch: Job[] = [];
    const maxBatch = this.#options.maxBatch();
    for (let i = 0; i < this.#jobs.length && batch.length < maxBatch;) {
      const job = this.#jobs[i]!;
      const isAlike = batch.length === 0 || isSameWork(job, batch[0]!);
      if (!isAlike) i++;
      else {
        this.#jobs.splice(i, 1);
        if (job.isAbandoned()) job.reject(timedOut());
        else batch.push(job);
      }
    }
    return batch;
  }

  async #runBatch(batch: readonly Job[]): Promise<void> {
    const start = performance.now();
    try {
      const results = await batch[0]!.work.run(stack(batch.map((job) => job.pixelValues)));
      const time = performance.now() - start;
      this.#options.onBatch(batch.length, time);
      batch.forEach((job, i) => job.resolve({ result: results[i], start, time }));
    } catch (error) {
      for (const job of batch) job.reject(error);
    }
  }
}

function isSameWork(a: Job, b: Job): boolean {
  return a.work.key === b.work.key && a.pixelValues.shape.join() === b.pixelValues.shape.join();
}

function stack(images: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const first = images[0]!;
  if (images.length === 1) return first;
  return stackRows(images.map(({ data }) => data), first.shape.slice(1));
}

/**
 * Rounds of the event loop between two runs. A request takes several to be read and answered. This
 * many take 0.1 ms; a timer would take 2 ms.
 */
const ROUNDS = 50;

/** Resolves after one round of the event loop. */
async function nextTurn(): Promise<void> {
  // A timer ends with the request that set it, and the other requests' images would wait for ever.
  if (IS_WORKERD) return;
  // Not every host has setImmediate.
  const { setImmediate } = globalThis as { setImmediate?: (resolve: () => void) => void };
  if (!setImmediate) return await delay(0);
  for (let i = 0; i < ROUNDS; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
