import { canShareMemory } from "../../host/can_share_memory.ts";
import { nodeWorker } from "../../host/node_worker.ts";
import type { CreateWorker } from "../../runtime/simd/thread_pool.ts";
import { type Call, instantiateTrain, makeCalls, type TrainKernels } from "./kernels.ts";
import type { TrainReply, TrainRequest } from "./worker.ts";

/** How long workers may take to start, in milliseconds: a loaded machine takes seconds. */
const START_TIMEOUT = 30_000;

/** The watchdog's interval, in milliseconds. */
const LOOK_INTERVAL = 1000;
/** Checks in a row without progress that fail a run. The work between two steps of progress takes under 1 s. */
const MAX_STILL_LOOKS = 30;

/**
 * The threads that train: workers or, for one thread, the caller's own.
 *
 * Every wait has a bound: a start takes `START_TIMEOUT` at most, and a watchdog checks that a counter of each
 * thread, which kernels and the worker increase, moves. `terminate()` of a worker fails the run at once.
 */
export class Threads implements Disposable {
  readonly #workers: readonly Worker[];
  readonly #own: TrainKernels | undefined;
  /** Fails what the workers are asked. */
  #fail: ((error: Error) => void) | undefined;
  #failure: Error | undefined;
  /** An i32 of each thread that moves while it works. */
  readonly #progress: readonly Int32Array[];

  private constructor(
    workers: readonly Worker[],
    own: TrainKernels | undefined,
    progress: readonly Int32Array[] = [],
  ) {
    this.#workers = workers;
    this.#own = own;
    this.#progress = progress;
    for (const worker of workers) {
      worker.onerror = (event) => {
        event.preventDefault();
        this.#end(new Error(`Cannot train: a thread failed: ${event.message}`));
      };
      worker.onmessageerror = () => this.#end(new Error("Cannot train: a thread's answer is lost"));
      const terminate = worker.terminate.bind(worker);
      worker.terminate = () => {
        terminate();
        this.#end(new Error("Cannot train: one of its threads was ended"));
      };
    }
  }

  /** How many threads can train here: one, if they cannot share memory, or as many as asked for. */
  static countFor(threads = 1): number {
    return canShareMemory() ? threads : 1;
  }

  /**
   * Starts threads on a memory, which must not grow afterwards. Where threads cannot share it, the
   * caller's is the only one.
   *
   * @param count a number that {@linkcode Threads.countFor} gave.
   * @param own whether a single thread is the caller's, which then blocks the event loop while it computes.
   * @param progress the place of an i32 for each thread, which moves while it works; without, no watchdog looks.
   */
  static async start(
    count: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    { own, progress = [], createWorker = createTrainWorker }: {
      own: boolean;
      progress?: readonly number[];
      createWorker?: CreateWorker | undefined;
    },
  ): Promise<Threads> {
    if (count === 1 && (own || !canShareMemory())) {
      return new Threads([], instantiateTrain(module, memory));
    }
    const workers: Worker[] = [];
    try {
      for (let i = 0; i < count; i++) workers.push(createWorker());
    } catch (error) {
      workers.forEach((worker) => worker.terminate());
      throw error;
    }
    const counters = progress.map((place) => new Int32Array(memory.buffer, place, 1));
    const threads = new Threads(workers, undefined, counters);
    const timer = setTimeout(
      () => threads.#end(new Error("Cannot train: its threads do not start")),
      START_TIMEOUT,
    );
    try {
      await threads.#ask(workers.map((_, i) => ({ module, memory, progress: progress[i] })));
    } catch (error) {
      threads[Symbol.dispose]();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return threads;
  }

  /** The number of threads. */
  get count(): number {
    return this.#own ? 1 : this.#workers.length;
  }

  /**
   * Makes calls, a list in each thread.
   *
   * @returns the results of each list.
   * @throws {Error} if a thread fails.
   */
  async run(lists: readonly (readonly Call[])[]): Promise<readonly (readonly number[])[]> {
    if (this.#own) return lists.map((calls) => makeCalls(this.#own!, calls));
    const endWatch = this.#watch();
    try {
      return (await this.#ask(lists.map((calls) => ({ calls })))).map(({ results }) => results);
    } finally {
      endWatch();
    }
  }

  /** Makes calls that the threads share, in turn; returns their results in their order. */
  async runDealt(calls: readonly Call[]): Promise<number[]> {
    const { count } = this;
    const lists = Array.from({ length: count }, (_, i) => calls.filter((_, c) => c % count === i));
    const results = await this.run(lists);
    return calls.map((_, c) => results[c % count]![Math.floor(c / count)]!);
  }

  /** Each thread's share of so many images or rows: the first, and the end. */
  shares(images: number): [start: number, end: number][] {
    const count = Math.min(this.count, images);
    return Array.from({ length: count }, (_, i) => [
      Math.floor(images * i / count),
      Math.floor(images * (i + 1) / count),
    ]);
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#end(new Error("Cannot train: the trainer is disposed of"));
    for (const worker of this.#workers) worker.terminate();
  }

  /** Fails when no thread shows a sign of life. A worker that is ended from outside says nothing. */
  #watch(): () => void {
    if (this.#progress.length === 0) return () => {};
    let last = "";
    let stillLooks = 0;
    const timer = setInterval(() => {
      const now = this.#progress.map((counter) => Atomics.load(counter, 0)).join();
      stillLooks = now === last ? stillLooks + 1 : 0;
      last = now;
      if (stillLooks < MAX_STILL_LOOKS) return;
      this.#end(new Error("Cannot train: its threads stand still; one may have been ended"));
    }, LOOK_INTERVAL);
    return () => clearInterval(timer);
  }

  #end(error: Error): void {
    this.#failure ??= error;
    this.#fail?.(error);
  }

  #ask(requests: readonly TrainRequest[]): Promise<TrainReply[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      const replies: TrainReply[] = [];
      let missing = requests.length;
      if (missing === 0) resolve(replies);
      requests.forEach((request, i) => {
        const worker = this.#workers[i]!;
        worker.onmessage = ({ data }: MessageEvent<TrainReply>) => {
          replies[i] = data;
          if (--missing === 0) resolve(replies);
        };
        worker.postMessage(request);
      });
    });
  }
}

function createTrainWorker(): Worker {
  return typeof Worker === "undefined"
    ? nodeWorker("./worker.ts", import.meta.url)
    : new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}
