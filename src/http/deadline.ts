import { Problem } from "./problem.ts";

/** Until when a request must be answered, and whether anybody still waits for it. */
export class Deadline implements Disposable {
  readonly #signal: AbortSignal;
  readonly #end: number;
  readonly #waiting = new Set<() => void>();
  readonly #timer: ReturnType<typeof setTimeout>;
  #isGivenUp = false;

  /**
   * @param timeout milliseconds from now.
   * @param signal aborts when the client has gone. It is polled, not listened to.
   */
  constructor(timeout: number, signal: AbortSignal) {
    this.#signal = signal;
    this.#end = performance.now() + timeout;
    this.#timer = setTimeout(() => {
      for (const fail of [...this.#waiting]) fail();
    }, timeout);
  }

  /** Whether it is no use to go on: the time is over, the client gone, or the request has failed. */
  get isOver(): boolean {
    return this.#isGivenUp || this.#signal.aborted || performance.now() >= this.#end;
  }

  /** The remaining time in milliseconds; 0 after the deadline. */
  get remaining(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /**
   * Waits for a promise, but not past the deadline.
   *
   * @throws {Problem} `problem` when the time is over.
   */
  async wait<T>(promise: Promise<T>, problem: () => Problem = timedOut): Promise<T> {
    const { promise: over, reject } = Promise.withResolvers<never>();
    const fail = () => reject(problem());
    this.#waiting.add(fail);
    try {
      return await Promise.race([promise, over]);
    } finally {
      this.#waiting.delete(fail);
    }
  }

  /** Ends it: what is still under way for the request need not be finished. */
  [Symbol.dispose](): void {
    this.#isGivenUp = true;
    clearTimeout(this.#timer);
  }
}

/** The error for a request that took too long. */
export function timedOut(): Problem {
  return new Problem(504, "The request was not done in time; try again later");
}
