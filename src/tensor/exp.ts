/** ln 2 in two parts, the first with zeros at its end, so that products with small integers are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** Beyond ± this, the result is 0 or Infinity. */
const LARGEST = 1000;

/** With |r| ≤ ln 2 / 2, the series' 15th term is below 2⁻⁶². */
const TERMS = 15;

/**
 * eˣ, the same to the last bit on every host: `Math.exp` differs between engines, and between versions of one,
 * in the last place.
 *
 * @returns with a relative error of at most 2⁻⁵¹.
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
  // x = n ln 2 + r; eˣ = 2ⁿ eʳ
  const z = Math.max(-LARGEST, Math.min(x, LARGEST));
  const n = Math.round(z / Math.LN2);
  const r = z - n * LN2_HIGH - n * LN2_LOW;
  let sum = 1;
  for (let term = TERMS; term > 0; term--) sum = 1 + sum * r / term;
  return sum * 2 ** n;
}
