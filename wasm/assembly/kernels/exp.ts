// eˣ = 2ⁿ eʳ with n = round(x / ln 2) and r = x - n ln 2, |r| ≤ ln 2 / 2, where eʳ is a polynomial:
// https://www.netlib.org/cephes, expf

import { constant, exactMadd, ROUNDER } from "./simd";

/** The constants of `exp`, in the order of use. ln 2 comes in two parts: n times the first is exact. */
const CONSTANTS = memory.data<f32>([
  -87.3365, // the least x
  89, // the largest
  1.44269504088896341, // 1 / ln 2
  -0.693359375, // -ln 2
  2.12194440e-4,
  1.9875691500e-4, // the polynomial, the highest power first
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
  1,
  ROUNDER,
]);

/**
 * eˣ with an error of at most 2 units in the last place. Below -87.3, where the result would
 * be subnormal, it is the smallest normal number, 1.2e-38; above 88.4 it is infinity. NaN stays.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, constant(CONSTANTS)), constant(CONSTANTS + 4));
  const magic = constant(CONSTANTS + 48);
  const rounded = exactMadd(x, constant(CONSTANTS + 8), magic);
  const n = f32x4.sub(rounded, magic);
  const r = exactMadd(n, constant(CONSTANTS + 16), exactMadd(n, constant(CONSTANTS + 12), x));
  let p = constant(CONSTANTS + 20);
  p = exactMadd(p, r, constant(CONSTANTS + 24));
  p = exactMadd(p, r, constant(CONSTANTS + 28));
  p = exactMadd(p, r, constant(CONSTANTS + 32));
  p = exactMadd(p, r, constant(CONSTANTS + 36));
  p = exactMadd(p, r, constant(CONSTANTS + 40));
  p = f32x4.add(exactMadd(p, f32x4.mul(r, r), r), constant(CONSTANTS + 44));
  // 2ⁿ: n + 127 is the exponent field of a float
  const power = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(127 << 23));
  return f32x4.mul(p, power);
}
