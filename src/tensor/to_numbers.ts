/**
 * Converts a vector to numbers for JSON. They are rounded to nine significant digits, which represent a
 * float32 exactly in half the characters of a double.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { toNumbers } from "./to_numbers.ts";
 *
 * assertEquals(toNumbers(Float32Array.of(0.1)), [0.100000001]);
 * ```
 */
export function toNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (x) => Number(x.toPrecision(9)));
}
