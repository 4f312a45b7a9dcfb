import type { HeldJob } from "../../search/queue/index_job.ts";
import type { HeartMessage } from "./heart_thread.ts";

/**
 * The heartbeats of a worker, from a thread and with a connection of its own: they go on while the main thread
 * computes, however long an image takes, and stop with the process, however it ends.
 */
export class Heart implements Disposable {
  readonly #thread: Worker;
  readonly #held = new Map<string, Pick<HeldJob, "id" | "retryCount">>();

  /**
   * @param db the address of the index.
   * @param worker its id.
   */
  constructor(db: string, worker: string) {
    this.#thread = new Worker(new URL("./heart_thread.ts", import.meta.url), { type: "module" });
    this.#send({ db, worker });
  }

  /** Keeps a job until it is released. */
  hold({ id, retryCount }: HeldJob): void {
    this.#held.set(id, { id, retryCount });
    this.#send({ held: [...this.#held.values()] });
  }

  /** No longer keeps a job. */
  release({ id }: HeldJob): void {
    this.#held.delete(id);
    this.#send({ held: [...this.#held.values()] });
  }

  [Symbol.dispose](): void {
    this.#thread.terminate();
  }

  #send(message: HeartMessage): void {
    this.#thread.postMessage(message);
  }
}
