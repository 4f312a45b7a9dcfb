import type { CreateWorker } from "../../runtime/simd/thread_pool.ts";
import { type Call, instantiateTrain, makeCalls, type TrainKernels } from "./kernels.ts";
import type { TrainReply, TrainRequest } from "./worker.ts";

/** How long workers may take to start, in milliseconds: a loaded machine takes seconds. */
const START_TIMEOUT = 30_000;

/** The threads that train: workers or, for one thread, the caller's own. */
export class Threads implements Disposable {
  readonly #workers: readonly Worker[];
  readonly #own: TrainKernels | undefined;
  /** Fails what the workers are asked. */
  #fail: ((error: Error) => void) | undefined;
  #failure: Error | undefined;

  private constructor(workers: readonly Worker[], own: TrainKernels | undefined) {
    this.#workers = workers;
    this.#own = own;
    for (const worker of workers) {
      worker.onerror = (event) => {
        event.preventDefault();
        this.#end(new Error(`Cannot train: a thread failed: ${event.message}`));
      };
      worker.onmessageerror = () => this.#end(new Error("Cannot train: a thread's answer is lost"));
    }
  }

  /**
   * Starts threads on a memory, which must not grow afterwards.
   *
   * @param own whether a single thread is the caller's, which then blocks the event loop while it computes.
   */
  static async start(
    count: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    { own, createWorker = createTrainWorker }: {
      own: boolean;
      createWorker?: CreateWorker | undefined;
    },
  ): Promise<Threads> {
    if (own && count === 1) return new Threads([], instantiateTrain(module, memory));
    const threads = new Threads(Array.from({ length: count }, createWorker), undefined);
    const timer = setTimeout(
      () => threads.#end(new Error("Cannot train: its threads do not start")),
      START_TIMEOUT,
    );
    try {
      await threads.#ask(threads.#workers.map(() => ({ module, memory })));
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
    return (await this.#ask(lists.map((calls) => ({ calls })))).map(({ results }) => results);
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#end(new Error("Cannot train: the trainer is disposed of"));
    for (const worker of this.#workers) worker.terminate();
  }

  #end(error: Error): void {
    this.#failure ??= error;
    this.#fail?.(error);
  }

  #ask(requests: readonly TrainRequest[]): Promise<TrainReply[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<TrainReply[]>();
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
    return promise;
  }
}

function createTrainWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}
