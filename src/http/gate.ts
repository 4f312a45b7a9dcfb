import { timedOut } from "./deadline.ts";

/** Lets so many in at a time; the others wait, first come, first served. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param places how many may be inside, at least 1. */
  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Runs a function inside, when there is a place.
   *
   * @param isAbandoned whether by then nobody waits for it any more; it is not run then.
   * @throws {Problem} 504 in that case.
   */
  async pass<T>(run: () => Promise<T>, isAbandoned: () => boolean): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      if (isAbandoned()) throw timedOut();
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
