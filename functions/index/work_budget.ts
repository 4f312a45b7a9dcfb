/** Limits of a call in milliseconds. */
export interface BudgetLimits {
  /** For decoding and embedding: what of it the host counts as CPU time. */
  readonly busy: number;
  /** For all, also for waiting. */
  readonly all: number;
}

/**
 * Supabase ends a function after 2 s of CPU time and 150 s in all. The start, HTTP and SQL take a share of the 2 s,
 * and hosts have other processors than those on which this was measured.
 */
export const DEFAULT_BUDGET: BudgetLimits = { busy: 1000, all: 60_000 };

/** What an image may take before one was measured, in milliseconds. */
const FIRST_IMAGE = 100;

/** How much of a call's time is left. */
export class WorkBudget {
  readonly #limits: BudgetLimits;
  readonly #begun = performance.now();
  #busy = 0;
  #longest = FIRST_IMAGE;

  constructor(limits: BudgetLimits = DEFAULT_BUDGET) {
    this.#limits = limits;
  }

  /** Time spent on images, in milliseconds. */
  get busy(): number {
    return this.#busy;
  }

  /** Whether another image may take more time than is left. The first one may take any. */
  get isSpent(): boolean {
    const { busy, all } = this.#limits;
    if (this.#busy === 0) return performance.now() - this.#begun > all;
    return this.#busy + this.#longest > busy || performance.now() - this.#begun > all;
  }

  /** Counts the time of work on an image, of which little is waiting. */
  async count<T>(work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      const time = performance.now() - begin;
      this.#busy += time;
      this.#longest = Math.max(this.#longest, time);
    }
  }
}
