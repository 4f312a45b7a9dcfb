import { assert, assertEquals } from "@std/assert";
import { GUARD } from "./instance.ts";

export type Random = () => number;

/** A whole number from `low` to `high`. */
export function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** Numbers from -size to size. */
export function numbers(random: Random, count: number, size = 1): Float32Array {
  return Float32Array.from({ length: count }, () => (2 * random() - 1) * size);
}

/** The least multiple of `multiple` that is not less than `count`. */
export function padded(count: number, multiple: number): number {
  return Math.ceil(count / multiple) * multiple;
}

/** The sum in double precision. */
export function sumOf(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}

/**
 * Equal within a tolerance, relative to what is larger than 1. What is not finite must be the same, and
 * so must be what was not to be written.
 */
export function assertClose(
  actual: Float32Array,
  expected: ArrayLike<number>,
  tolerance: number,
  message = "",
): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i]!, e = expected[i]!;
    if (Object.is(a, e)) continue;
    const isClose = e !== GUARD && Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e));
    assert(isClose, `${message} [${i}]: ${a} instead of ${e}`);
  }
}

/** Equal bit by bit, signs of zero and NaN included. */
export function assertSameBits(actual: Float32Array, expected: Float32Array, message = ""): void {
  assertEquals(new Uint32Array(actual.buffer), new Uint32Array(expected.buffer), message);
}
