import { timedOut } from "../deadline.ts";

/** Lets as much in at a time as there is room for; the others wait, first come, first served. */
export class Gate {
  readonly #room: number;
  #free: number;
  readonly #waiting: { readonly size: number; readonly enter: () => void }[] = [];

  /** @param room for all that is inside at a time, above 0. */
  constructor(room: number) {
    this.#room = room;
    this.#free = room;
  }

  /**
   * Runs a function inside, when there is room.
   *
   * @param isAbandoned whether by then nobody waits for it any more; it is not run then.
   * @param size how much room it takes; what is larger than the whole room takes all of it.
   * @throws {Problem} 504 if it is not run.
   */
  async pass<T>(run: () => Promise<T>, isAbandoned: () => boolean, size = 1): Promise<T> {
    size = Math.min(size, this.#room);
    const { promise, resolve: enter } = Promise.withResolvers<void>();
    this.#waiting.push({ size, enter });
    this.#admit();
    await promise;
    try {
      if (isAbandoned()) throw timedOut();
      return await run();
    } finally {
      this.#free += size;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && next.size <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.size;
      next.enter();
    }
  }
}
