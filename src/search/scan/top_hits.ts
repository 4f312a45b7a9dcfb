/** A row of a scan and its similarity. */
export interface Hit {
  /** The row's number. */
  readonly slot: number;
  /** The dot product with the query. */
  readonly similarity: number;
}

/**
 * Keeps the best of many hits, which come in the order of their slots: of equal similarities, the first ones
 * stay. A binary heap, whose root is the worst that is kept.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { TopHits } from "./top_hits.ts";
 *
 * const top = new TopHits(2);
 * [0.5, 0.9, 0.5, 0.7].forEach((similarity, slot) => top.offer(slot, similarity));
 * assertEquals(top.sorted().map(({ slot }) => slot), [1, 3]);
 * ```
 */
export class TopHits {
  readonly #k: number;
  readonly #slots: number[] = [];
  readonly #similarities: number[] = [];

  /** @param k how many to keep. */
  constructor(k: number) {
    this.#k = k;
  }

  /** What a similarity must exceed to be kept. */
  get bar(): number {
    return this.#slots.length < this.#k ? -Infinity : this.#similarities[0]!;
  }

  /** Keeps a hit if it is among the best. Its slot is higher than those before. */
  offer(slot: number, similarity: number): void {
    if (!(similarity > this.bar)) return;
    if (this.#slots.length < this.#k) {
      this.#slots.push(slot);
      this.#similarities.push(similarity);
      this.#rise(this.#slots.length - 1);
    } else {
      this.#slots[0] = slot;
      this.#similarities[0] = similarity;
      this.#sink();
    }
  }

  /** The hits, the best one first; of equal similarities, the one with the lower slot. */
  sorted(): Hit[] {
    return this.#slots
      .map((slot, i) => ({ slot, similarity: this.#similarities[i]! }))
      .sort((a, b) => b.similarity - a.similarity || a.slot - b.slot);
  }

  #isWorse(i: number, j: number): boolean {
    const difference = this.#similarities[i]! - this.#similarities[j]!;
    return difference < 0 || difference === 0 && this.#slots[i]! > this.#slots[j]!;
  }

  #rise(i: number): void {
    while (i > 0) {
      const parent = i - 1 >> 1;
      if (!this.#isWorse(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #sink(): void {
    for (let i = 0;;) {
      const left = 2 * i + 1;
      if (left >= this.#slots.length) return;
      const right = left + 1;
      const worst = right < this.#slots.length && this.#isWorse(right, left) ? right : left;
      if (!this.#isWorse(worst, i)) return;
      this.#swap(i, worst);
      i = worst;
    }
  }

  #swap(i: number, j: number): void {
    [this.#slots[i], this.#slots[j]] = [this.#slots[j]!, this.#slots[i]!];
    [this.#similarities[i], this.#similarities[j]] = [
      this.#similarities[j]!,
      this.#similarities[i]!,
    ];
  }
}
