import type { Tensor } from "./tensor.ts";

/**
 * Puts vectors of equal length into one tensor, whose first axis they make.
 *
 * @param rows B vectors, at least one.
 * @param shape of each; default is its length.
 * @returns [B, …shape], a copy.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stackRows } from "./stack_rows.ts";
 *
 * const { shape, data } = stackRows([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
 * assertEquals([shape, data], [[2, 2], Float32Array.of(1, 2, 3, 4)]);
 * ```
 */
export function stackRows(
  rows: readonly Float32Array[],
  shape: readonly number[] = [rows[0]!.length],
): Tensor<"float32"> {
  const size = rows[0]!.length;
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, b) => data.set(row, b * size));
  return { dtype: "float32", shape: [rows.length, ...shape], data };
}
