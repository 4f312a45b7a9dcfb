import type { Arena } from "../../runtime/simd/arena.ts";

/** A copy of rows of float32 that are `stride` bytes apart, [rows, columns]. */
export function readRows(
  arena: Arena,
  place: number,
  stride: number,
  rows: number,
  columns: number,
): Float32Array {
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    data.set(arena.floats(place + row * stride, columns), row * columns);
  }
  return data;
}
