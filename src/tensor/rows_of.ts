import type { Tensor } from "./tensor.ts";

/**
 * Splits a tensor along its first axis.
 *
 * @param tensor [B, …]
 * @returns B views of its data, not copies.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rowsOf } from "./rows_of.ts";
 *
 * const data = Float32Array.of(1, 2, 3, 4);
 * const rows = rowsOf({ dtype: "float32", shape: [2, 2], data });
 * assertEquals(rows, [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
 * ```
 */
export function rowsOf({ shape: [B], data }: Tensor<"float32">): Float32Array[] {
  const size = data.length / B!;
  return Array.from({ length: B! }, (_, b) => data.subarray(b * size, (b + 1) * size));
}
