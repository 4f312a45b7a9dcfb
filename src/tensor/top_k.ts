/**
 * Returns the indices of the `k` largest values in descending order; equal values keep their order.
 *
 * @param k the number of indices; if it exceeds the number of values, all indices are returned.
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
