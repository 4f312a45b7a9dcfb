/**
 * Edit distance (optimal string alignment): the fewest insertions, deletions, substitutions and swaps of
 * adjacent letters that turn one word into the other.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { editDistance } from "./edit_distance.ts";
 *
 * assertEquals(editDistance("modle", "model"), 1);
 * assertEquals(editDistance("out", "top-k"), 4);
 * ```
 */
export function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      let least = Math.min(
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      rows[i]![j] = least;
    }
  }
  return rows[a.length]![b.length]!;
}
