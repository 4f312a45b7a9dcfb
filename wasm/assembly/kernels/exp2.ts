import { constant, exactMadd } from "./simd";

/** The coefficients of 2ʳ for |r| ≤ 1/2, the highest power first: minimax of the relative error. And 2⁰. */
const CONSTANTS = memory.data<f32>([
  9.57010221e-3,
  5.59178591e-2,
  0.240247443,
  0.693121791,
  0.999999285,
  1,
]);

/** The least power of `coarseExp2`. */
export const LEAST_POWER: f32 = -126;

/**
 * 2ˣ = 2ⁿ 2ʳ with n = round(x) and r = x - n, for numbers up to 0: with a relative error of at most 2.8e-6,
 * and the same bits in both builds. Below `LEAST_POWER` it is the smallest normal number, 1.2e-38. NaN stays.
 *
 * @param least LEAST_POWER in all lanes
 * @param rounder ROUNDER in all lanes
 */
// @ts-ignore: decorator
@inline
export function coarseExp2(x: v128, least: v128, rounder: v128): v128 {
  x = f32x4.pmax(x, least);
  const rounded = f32x4.add(x, rounder);
  const r = f32x4.sub(x, f32x4.sub(rounded, rounder));
  // In pairs of terms: in a single chain, each step would wait for the one before.
  const square = f32x4.mul(r, r);
  const low = exactMadd(constant(CONSTANTS + 12), r, constant(CONSTANTS + 16));
  const high = exactMadd(constant(CONSTANTS + 4), r, constant(CONSTANTS + 8));
  const p = exactMadd(exactMadd(constant(CONSTANTS), square, high), square, low);
  // The exponent field is the first of a float: n more is 2ⁿ times as large.
  const power = i32x4.add(constant(CONSTANTS + 20), i32x4.shl(rounded, 23));
  return f32x4.mul(p, power);
}
