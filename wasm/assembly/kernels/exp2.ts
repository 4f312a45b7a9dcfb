import { constant, exactMadd } from "./simd";

/** The coefficients of 2ʳ for |r| ≤ 1/2, the highest power first: minimax of the relative error. */
const COEFFICIENTS = memory.data<f32>([
  9.57010221e-3,
  5.59178591e-2,
  0.240247443,
  0.693121791,
  0.999999285,
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
  let p = constant(COEFFICIENTS);
  p = exactMadd(p, r, constant(COEFFICIENTS + 4));
  p = exactMadd(p, r, constant(COEFFICIENTS + 8));
  p = exactMadd(p, r, constant(COEFFICIENTS + 12));
  p = exactMadd(p, r, constant(COEFFICIENTS + 16));
  // n + 127 is the exponent field of a float.
  const power = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(127 << 23));
  return f32x4.mul(p, power);
}
