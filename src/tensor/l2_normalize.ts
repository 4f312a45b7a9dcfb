/**
 * Divides a vector by its Euclidean norm, which is computed in double precision. A zero vector has no
 * direction and is returned as a copy.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { l2Normalize } from "./l2_normalize.ts";
 *
 * assertEquals(l2Normalize(Float32Array.of(3, 0, 4)), Float32Array.of(0.6, 0, 0.8));
 * ```
 */
export function l2Normalize(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return length === 0 ? vector.slice() : vector.map((x) => x / length);
}
