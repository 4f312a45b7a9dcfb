import { fromStoredVector } from "../stored_vector.ts";
import type { PairOptions } from "../vector_index.ts";
import type { VectorScan } from "./vector_scan.ts";

/** Contents that are compared with all others at a time. */
const BATCH = 64;

/**
 * Finds all pairs of contents whose similarity is at least a threshold, each once, exactly.
 *
 * @param slots the contents' slots, ascending; their places are the numbers that `onPair` is called with.
 */
export function scanPairs(
  scan: VectorScan,
  slots: readonly number[],
  threshold: number,
  { onPair, onProgress = () => {} }: PairOptions,
): void {
  const numbers = new Map(slots.map((slot, number) => [slot, number]));
  for (let from = 0; from < slots.length; from += BATCH) {
    const batch = slots.slice(from, from + BATCH);
    const queries = batch.map((slot) => fromStoredVector(scan.row(slot)));
    scan.above(queries, threshold, (q, { slot, similarity }) => {
      const b = numbers.get(slot);
      if (b !== undefined && from + q < b) onPair(from + q, b, Math.min(1, similarity));
    }, batch[0]);
    onProgress(from + batch.length, slots.length);
  }
}
