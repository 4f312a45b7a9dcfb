import { type Hit, TopHits } from "../../../src/search/scan/top_hits.ts";

/** Compares a query [D] with all vectors [count, D], as anybody would write it; returns the k best. */
export function plainLoop(vectors: Float32Array, query: Float32Array, k: number): Hit[] {
  const top = new TopHits(k);
  for (let r = 0, at = 0; at < vectors.length; r++) {
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += vectors[at++]! * query[i]!;
    top.offer(r, sum);
  }
  return top.sorted();
}
