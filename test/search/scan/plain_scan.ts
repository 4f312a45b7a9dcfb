import { rowBytes, VectorScan } from "../../../src/search/scan/vector_scan.ts";
import type { Hit } from "../../../src/search/scan/top_hits.ts";

/** A scan of rows of float16 numbers, which it encodes in int8 after so many queries; default never. */
export function scanOf(
  rows: readonly Float16Array[],
  dimension: number,
  encodeAfter = Infinity,
): VectorScan {
  const scan = new VectorScan(dimension, { encodeAfter });
  scan.reserve(rows.length);
  const halves = scan.rows(0, rows.length);
  const size = rowBytes(dimension) / 2;
  rows.forEach((row, r) => halves.set(bitsOf(row), r * size));
  return scan;
}

/** The bits of float16 numbers. */
export function bitsOf(row: Float16Array): Uint16Array {
  return new Uint16Array(row.slice().buffer);
}

/** The dot product with the roundings of the kernel: four sums, of each eight numbers first the even ones. */
export function plainDot(row: Float16Array, query: Float32Array): number {
  const sums = new Float32Array(4);
  for (let from = 0; from < row.length; from += 8) {
    for (const isOdd of [0, 1]) {
      for (let lane = 0; lane < 4; lane++) {
        const i = from + 2 * lane + isOdd;
        if (i < row.length) sums[lane]! += Math.fround(row[i]! * query[i]!);
      }
    }
  }
  const [a, b, c, d] = sums as unknown as [number, number, number, number];
  return Math.fround(Math.fround(a + c) + Math.fround(b + d));
}

/** The nearest rows, found by comparing all in plain JavaScript. */
export function plainNearest(scores: readonly number[], k: number, isAllowed?: Uint8Array): Hit[] {
  return scores.map((similarity, slot) => ({ slot, similarity: similarity + 0 }))
    .filter(({ slot }) => !isAllowed || isAllowed[slot] === 1)
    .sort((a, b) => b.similarity - a.similarity || a.slot - b.slot)
    .slice(0, k);
}
