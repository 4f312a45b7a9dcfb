import { Problem } from "../problem.ts";

/** The memory of one body. */
export interface HeldMemory extends Disposable {
  /**
   * Takes more memory.
   *
   * @throws {Problem} 429 if no memory is left and no larger upload can give way.
   */
  grow(bytes: number): void;
  /** The body is complete: it no longer gives way to another. */
  complete(): void;
}

interface Holder {
  bytes: number;
  isComplete: boolean;
  readonly giveWay: (problem: Problem) => void;
}

/**
 * The memory of all request bodies together. When none is left, the largest unfinished upload gives way, if
 * it is larger than the one that needs memory: a few slow uploads cannot block all others.
 */
export class BodyMemory {
  readonly #maxBytes: number;
  readonly #holders = new Set<Holder>();
  #bytes = 0;

  /** @param maxBytes the limit for all bodies together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The bytes in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Registers a new upload.
   *
   * @param giveWay called at most once, when the upload must end in favour of others; its memory counts as
   * free from then on.
   */
  begin(giveWay: (problem: Problem) => void): HeldMemory {
    const holder: Holder = { bytes: 0, isComplete: false, giveWay };
    this.#holders.add(holder);
    return {
      grow: (bytes) => this.#grow(holder, bytes),
      complete: () => holder.isComplete = true,
      [Symbol.dispose]: () => this.#release(holder),
    };
  }

  #grow(holder: Holder, bytes: number): void {
    while (this.#bytes + bytes > this.#maxBytes) {
      const victim = this.#largestUnfinished();
      if (!victim || victim.bytes <= holder.bytes + bytes) throw tooMuch();
      this.#release(victim);
      victim.giveWay(tooMuch());
    }
    // An upload that has given way reads no more.
    if (!this.#holders.has(holder)) throw tooMuch();
    holder.bytes += bytes;
    this.#bytes += bytes;
  }

  #largestUnfinished(): Holder | undefined {
    let largest: Holder | undefined;
    for (const holder of this.#holders) {
      if (!holder.isComplete && holder.bytes > (largest?.bytes ?? 0)) largest = holder;
    }
    return largest;
  }

  #release(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#bytes -= holder.bytes;
  }
}

function tooMuch(): Problem {
  return new Problem(429, "Too much is being uploaded; try again later", {
    connection: "close",
    "retry-after": "1",
  });
}
