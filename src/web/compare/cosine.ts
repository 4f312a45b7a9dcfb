/** A vector near another one. */
export interface Neighbour {
  /** Among the vectors that were compared. */
  readonly index: number;
  /** The cosine of the angle between both, from -1 to 1. */
  readonly similarity: number;
}

/**
 * The cosine of the angle between two vectors, from -1 to 1; 0 if one of them is zeros.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cosine } from "./cosine.ts";
 *
 * assertEquals(cosine(Float32Array.of(0, 2), Float32Array.of(0, 3)), 1);
 * ```
 */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let d = 0; d < a.length; d++) {
    dot += a[d]! * b[d]!;
    aa += a[d]! * a[d]!;
    bb += b[d]! * b[d]!;
  }
  return aa === 0 || bb === 0 ? 0 : Math.max(-1, Math.min(1, dot / Math.sqrt(aa * bb)));
}

/** The vectors most similar to one, best first; of equals, the first. */
export function nearest(
  query: Float32Array,
  vectors: readonly Float32Array[],
  count: number,
): Neighbour[] {
  return vectors
    .map((vector, index) => ({ index, similarity: cosine(query, vector) }))
    .sort((a, b) => b.similarity - a.similarity || a.index - b.index)
    .slice(0, count);
}
