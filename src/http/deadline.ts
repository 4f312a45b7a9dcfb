import { Problem } from "./problem.ts";

/** A request's deadline, and whether its client still waits. */
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

  /** Whether work is useless: the deadline has passed, the client has gone, or the request has failed. */
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
   * @throws {Problem} `problem` after the deadline.
   */
  async wait<T>(promise: Promise<T>, problem: () => Problem = timedOut): Promise<T> {
    let fail = () => {};
    const over = new Promise<never>((_, reject) => fail = () => reject(problem()));
    this.#waiting.add(fail);
    try {
      return await Promise.race([promise, over]);
    } finally {
      this.#waiting.delete(fail);
    }
  }

  /** Ends the deadline: the request's remaining work need not be finished. */
  [Symbol.dispose](): void {
    this.#isGivenUp = true;
    clearTimeout(this.#timer);
  }
}

/** The error for a request that took too long. */
export function timedOut(): Problem {
  return new Problem(504, "The request was not done in time; try again later");
}
