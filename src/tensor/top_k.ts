/**
 * The indices of the `k` largest values, largest first; of equal values the earlier one is first.
 *
 * @param k how many; more than there are values gives all of them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { topK } from "./top_k.ts";
 *
 * assertEquals(topK([0.1, 0.7, 0.2], 2), [1, 2]);
 * ```
 */
export function topK(values: ArrayLike<number>, k: number): number[] {
  return Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, k);
}
