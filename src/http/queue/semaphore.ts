import { timedOut } from "../deadline.ts";

/** A counting semaphore: work of limited total size runs at a time, the rest waits, first come, first served. */
export class Semaphore {
  readonly #room: number;
  #free: number;
  readonly #waiting: { readonly size: number; readonly start: () => void }[] = [];

  /** @param room the capacity, above 0. */
  constructor(room: number) {
    this.#room = room;
    this.#free = room;
  }

  /**
   * Runs a function when the capacity suffices.
   *
   * @param isAbandoned checked when its turn comes: if the caller no longer waits, it is not run.
   * @param size the capacity that it takes; at most all of it.
   * @throws {Problem} 504 if it is not run.
   */
  async run<T>(work: () => Promise<T>, isAbandoned: () => boolean, size = 1): Promise<T> {
    size = Math.min(size, this.#room);
    await new Promise<void>((start) => {
      this.#waiting.push({ size, start });
      this.#admit();
    });
    try {
      if (isAbandoned()) throw timedOut();
      return await work();
    } finally {
      this.#free += size;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && next.size <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.size;
      next.start();
    }
  }
}
