import type { OutputName } from "../vit_msn/graph.ts";
import type { NamedTensors, RunOptions, Session } from "./runtime.ts";

/** A session that finishes its runs after it is disposed of, and ends with the last one. */
export class DrainingSession implements Session {
  readonly concurrency: number;
  readonly #session: Session;
  #running = 0;
  #isDisposed = false;

  /** @param session which this one disposes of. */
  constructor(session: Session) {
    this.#session = session;
    this.concurrency = session.concurrency ?? 1;
  }

  /** @throws {Error} if the model is disposed of. */
  async run(
    inputs: NamedTensors,
    outputs: readonly OutputName[],
    options?: RunOptions,
  ): Promise<NamedTensors> {
    if (this.#isDisposed) throw new Error("Cannot run the model: it is disposed of");
    this.#running++;
    try {
      return await this.#session.run(inputs, outputs, options);
    } finally {
      this.#running--;
      if (this.#isDisposed && this.#running === 0) await this.#session[Symbol.asyncDispose]();
    }
  }

  /** Frees the memory: now, or when the runs are done. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.#running === 0) await this.#session[Symbol.asyncDispose]();
  }
}
