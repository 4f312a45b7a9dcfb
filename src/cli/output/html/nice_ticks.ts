/** Below this share of the values themselves, their difference is rounding. */
const SAME = 1e-9;

/**
 * The ticks of an axis at round numbers, 1, 2 or 5 times a power of ten apart. The first and the last
 * enclose the range.
 *
 * @param low, high finite, at most 1e300 in size, `low <= high`. A range without extent is widened.
 * @param count the number of intervals to aim at.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { niceTicks } from "./nice_ticks.ts";
 *
 * assertEquals(niceTicks(0.31, 0.92, 4), [0.2, 0.4, 0.6, 0.8, 1]);
 * ```
 */
export function niceTicks(low: number, high: number, count: number): number[] {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size < 1e-300) return niceTicks(0, 1, count);
  if (high - low <= SAME * size) {
    return niceTicks(low - size / 10, high + size / 10, count);
  }
  const step = niceStep((high - low) / count);
  const first = Math.floor(low / step + SAME);
  const last = Math.ceil(high / step - SAME);
  // Twelve digits drop the rounding of the product, as in 3 · 0.1.
  return Array.from(
    { length: last - first + 1 },
    (_, i) => Number(((first + i) * step).toPrecision(12)),
  );
}

/** The round number nearest above. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((factor) => step <= factor * power * (1 + SAME)) ?? 10);
}
