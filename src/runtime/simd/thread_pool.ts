import { nodeWorker } from "../../host/node_worker.ts";
import type { Kernels } from "./kernels.ts";
import type { KernelSource, PoolReply, PoolRequest } from "./worker.ts";
import { PROGRESS_STRIDE, type Workspace } from "./workspace.ts";
import { fieldPlace } from "./write_struct.ts";

/** Starts a worker that runs `worker.ts`; for bundles, in which that module is elsewhere. */
export type CreateWorker = () => Worker;

/** How long workers may take to start, in milliseconds: a loaded machine takes seconds. */
const START_TIMEOUT = 30_000;
/** The watchdog's interval, in milliseconds. */
const LOOK_INTERVAL = 200;
/** Checks in a row without progress that fail a run. The work between two steps of progress takes under 10 ms. */
const MAX_STILL_LOOKS = 3;

/**
 * The workers that share an image or compute one each. Between runs they wait for messages.
 *
 * Every wait has a bound: a start takes `START_TIMEOUT` at most, and a watchdog checks each run.
 * `terminate()` of a worker fails the run at once, because Deno lets a terminated worker compute for 2 s
 * more, and the watchdog would see progress.
 */
export class ThreadPool implements Disposable {
  readonly #memory: WebAssembly.Memory;
  readonly #workers: readonly Worker[];
  /** What each worker was asked and has not answered, in that order. */
  readonly #asked: readonly ((reply: PoolReply) => void)[][];
  /** What ends the present tasks from outside. */
  readonly #tasks = new Set<(error: Error) => void>();
  #isOver = false;

  private constructor(memory: WebAssembly.Memory, workers: readonly Worker[]) {
    this.#memory = memory;
    this.#workers = workers;
    this.#asked = workers.map(() => []);
    workers.forEach((worker, i) => {
      worker.onmessage = ({ data }: MessageEvent<PoolReply>) => this.#asked[i]!.shift()?.(data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail(`a thread failed: ${event.message}`);
      };
      worker.onmessageerror = () => this.#fail("a thread's answer is lost");
      const terminate = worker.terminate.bind(worker);
      worker.terminate = () => {
        terminate();
        this.#fail("one of its threads was ended");
      };
    });
  }

  /**
   * Starts workers on kernels. Their memory must not grow afterwards.
   *
   * @throws {Error} if they cannot be started.
   */
  static async start(
    threads: number,
    source: KernelSource,
    createWorker: CreateWorker = createPoolWorker,
  ): Promise<ThreadPool> {
    const workers: Worker[] = [];
    try {
      for (let i = 0; i < threads; i++) workers.push(createWorker());
    } catch (error) {
      workers.forEach((worker) => worker.terminate());
      throw error;
    }
    const pool = new ThreadPool(source.memory, workers);
    try {
      await pool.#ask(0, workers.map(() => source), (fail) => {
        const timer = setTimeout(
          () => fail(new Error("Cannot run the model: its threads do not start")),
          START_TIMEOUT,
        );
        return () => clearTimeout(timer);
      });
    } catch (error) {
      pool[Symbol.dispose]();
      throw error;
    }
    return pool;
  }

  /** Whether a worker was lost; the pool cannot be used then. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Does steps of the forward; see `wasm/assembly/vit_msn/forward.ts`. Other workers may be asked
   * meanwhile, for another workspace.
   *
   * @param worker the first of those that do it, as many as the workspace has threads.
   * @throws {Error} if a worker fails or stands still. The pool is over then.
   */
  async forward(workspace: Workspace, first: number, end: number, worker = 0): Promise<void> {
    const { plan, threads } = workspace;
    const requests = threads.map((thread) => ({
      forward: [plan, thread, first, end] as Parameters<Kernels["forward"]>,
    }));
    try {
      await this.#ask(worker, requests, (fail) => this.#watch(workspace, fail));
    } catch (error) {
      // The other workers stop waiting for the lost one.
      const words = new Int32Array(this.#memory.buffer);
      Atomics.store(words, fieldPlace("Barrier", workspace.barrier, "isBroken") / 4, 1);
      Atomics.notify(words, fieldPlace("Barrier", workspace.barrier, "round") / 4);
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Ends the workers, and what they do. */
  [Symbol.dispose](): void {
    this.#fail("it is disposed of");
    for (const worker of this.#workers) worker.terminate();
  }

  /** Terminates the workers and fails the current runs. */
  #fail(why: string): void {
    this.#isOver = true;
    for (const fail of this.#tasks) fail(new Error(`Cannot run the model: ${why}`));
  }

  /**
   * Gives workers, from the `first` on, a request each and waits for all answers. `guard` begins what
   * may fail meanwhile.
   */
  async #ask(
    first: number,
    requests: readonly PoolRequest[],
    guard: (fail: (error: Error) => void) => () => void,
  ): Promise<void> {
    let endTask = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#isOver) throw new Error("Cannot run the model: its threads have ended");
        const endGuard = guard(reject);
        this.#tasks.add(reject);
        endTask = () => {
          endGuard();
          this.#tasks.delete(reject);
        };
        let missing = requests.length;
        requests.forEach((request, i) => {
          this.#workers[first + i]!.postMessage(request);
          this.#asked[first + i]!.push(({ isDone }) => {
            if (!isDone) reject(new Error("Cannot run the model: a thread was lost"));
            if (--missing === 0) resolve();
          });
        });
      });
    } finally {
      endTask();
    }
  }

  /** Fails when the threads show no sign of life. A worker that is ended from outside says nothing. */
  #watch({ progress, threads }: Workspace, fail: (error: Error) => void): () => void {
    const counts = new Int32Array(
      this.#memory.buffer,
      progress,
      threads.length * PROGRESS_STRIDE / 4,
    );
    let last = "";
    let stillLooks = 0;
    const timer = setInterval(() => {
      const now = threads.map((_, i) => Atomics.load(counts, i * PROGRESS_STRIDE / 4)).join();
      stillLooks = now === last ? stillLooks + 1 : 0;
      last = now;
      if (stillLooks >= MAX_STILL_LOOKS) {
        fail(new Error("Cannot run the model: its threads stand still; one may have been ended"));
      }
    }, LOOK_INTERVAL);
    return () => clearInterval(timer);
  }
}

function createPoolWorker(): Worker {
  return typeof Worker === "undefined"
    ? nodeWorker("./worker.ts", import.meta.url)
    : new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}
