import type { PairOptions } from "../vector_index.ts";
import type { VectorScan } from "./vector_scan.ts";

/** Contents that are compared with all others at a time. */
const BATCH = 64;

/** The contents of a {@linkcode VectorScan}, by their numbers. */
export interface ScanContents {
  /** How many there are. */
  readonly count: number;
  /** The vectors of some. */
  vectors(first: number, count: number): Float32Array[];
  /** The number of the content in a slot; undefined if there is none. */
  numberOf(slot: number): number | undefined;
}

/** Finds all pairs of contents whose similarity is at least a threshold, each once, exactly. */
export function scanPairs(
  scan: VectorScan,
  { count, vectors, numberOf }: ScanContents,
  threshold: number,
  { onPair, onProgress = () => {} }: PairOptions,
): void {
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from);
    scan.above(vectors(from, size), threshold, (q, { slot, similarity }) => {
      const b = numberOf(slot);
      if (b !== undefined && from + q < b) onPair(from + q, b, Math.min(1, similarity));
    });
    onProgress(from + size, count);
  }
}
