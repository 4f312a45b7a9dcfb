/**
 * The learning rate of a step: rises from 0 during the warm-up, then falls as half a cosine, as Hugging
 * Face's `get_cosine_schedule_with_warmup` has it, but from 1 on, so that no step is lost:
 *
 *     k ≤ W: peak k / W; else peak / 2 (1 + cos π (k - W) / (S - W + 1))
 *
 * @param step k, from 1 to S.
 * @param steps S.
 * @param warmup W, the steps of the warm-up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { learningRateAt } from "./schedule.ts";
 *
 * const rates = [1, 2, 3].map((step) => learningRateAt(step, 3, 1, 0.1).toFixed(3));
 * assertEquals(rates, ["0.100", "0.075", "0.025"]);
 * ```
 */
export function learningRateAt(step: number, steps: number, warmup: number, peak: number): number {
  if (step <= warmup) return peak * step / warmup;
  const share = (step - warmup) / (steps - warmup + 1);
  return peak / 2 * (1 + Math.cos(Math.PI * share));
}
