/** The time that the rate looks back, in milliseconds. */
const WINDOW = 60_000;

/**
 * How fast images are done of late.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { WorkRate } from "./work_rate.ts";
 *
 * const rate = new WorkRate();
 * rate.begin(0);
 * rate.add(32, 500);
 * rate.add(32, 1000);
 * assertEquals(rate.perSecond, 64);
 * ```
 */
export class WorkRate {
  readonly #done: { readonly images: number; readonly begun: number; readonly now: number }[] = [];
  #begun = 0;

  /** Images a second. */
  get perSecond(): number {
    const [first] = this.#done;
    const last = this.#done.at(-1);
    if (!first || !last) return 0;
    const images = this.#done.reduce((sum, { images }) => sum + images, 0);
    return 1000 * images / Math.max(1, last.now - first.begun);
  }

  /** Says that work begins, after a pause. */
  begin(now: number): void {
    this.#done.length = 0;
    this.#begun = now;
  }

  /** Says that images are done since the last ones. */
  add(images: number, now: number): void {
    this.#done.push({ images, begun: this.#done.at(-1)?.now ?? this.#begun, now });
    while (this.#done[0]!.now < now - WINDOW) this.#done.shift();
  }
}
