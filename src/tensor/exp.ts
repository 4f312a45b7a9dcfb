/** The natural logarithm of 2 in two parts: products of the first one with small integers are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const bits = new DataView(new ArrayBuffer(8));

/**
 * The exponential function with the same bits on every host: `Math.exp` differs in the last one between
 * engines, and between versions of V8.
 *
 * @returns within 2 units in the last place; 0 below −708, `Infinity` above 709.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { exp } from "./exp.ts";
 *
 * assertEquals([exp(0), exp(-Infinity)], [1, 0]);
 * assertAlmostEquals(exp(1), Math.E, 1e-15);
 * ```
 */
export function exp(x: number): number {
  if (x < -708) return 0;
  if (x > 709) return Infinity;
  // exp(x) = 2^k · exp(r), |r| ≤ ln 2 / 2; and Taylor's series.
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let n = 14; n > 0; n--) sum = 1 + sum * r / n;
  bits.setInt32(0, k + 1023 << 20);
  return sum * bits.getFloat64(0);
}
