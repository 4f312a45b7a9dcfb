import { even, MASK, odd } from "./halves";

const BYTES: usize = 16;
/** Of a code: its scale and its tolerance, both f32. */
export const HEADER: usize = 8;
/** Undoes what `halves.ts` does to the exponent. */
const UNSHIFTED: f32 = reinterpret<f32>((127 + 112) << 23);
/** Added to a small number, rounds it to an integer, which is then in the lowest bits. */
const ROUNDER: f32 = 12582912; // 1.5 · 2²³

/**
 * Makes the codes of rows: int8 numbers c and a scale s for which s·c is close to the row x, and a tolerance
 * that bounds the error of s·c · q for every q of length 1:
 *
 *     |x·q - s·c · q| ≤ |x - s·c| ≤ tolerance (Cauchy and Schwarz)
 *
 * @param rows f16 [count, 8 · vectors], all finite
 * @param codes [count] of f32 scale, f32 tolerance, i8 [8 · vectors]; of each eight numbers the even ones, then
 *   the odd ones
 * @param rounding how much larger a length may be than what is computed of it, as a share of it
 * @param slack added to the tolerance, as a share of the lengths of x and of its error
 */
export function encode(
  rows: usize,
  count: i32,
  vectors: i32,
  codes: usize,
  rounding: f64,
  slack: f64,
): void {
  const mask = i32x4.splat(MASK);
  const unshifted = f32x4.splat(UNSHIFTED);
  const unsigned = i32x4.splat(0x7fffffff);
  const rounder = f32x4.splat(ROUNDER);
  const row = BYTES * vectors;
  for (const end = rows + row * count; rows < end; rows += row) {
    // Without the sign, the bits of floats are ordered like the floats.
    let largest = i32x4.splat(0);
    for (let at = rows, last = rows + row; at < last; at += BYTES) {
      const halves = v128.load(at);
      largest = i32x4.max_s(largest, v128.and(even(halves, mask), unsigned));
      largest = i32x4.max_s(largest, v128.and(odd(halves, mask), unsigned));
    }
    const maximum = UNSHIFTED * reinterpret<f32>(max(
      max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1)),
      max(i32x4.extract_lane(largest, 2), i32x4.extract_lane(largest, 3)),
    ));
    const scale = maximum / 127;
    const scales = f32x4.splat(scale);
    const factors = f32x4.splat(maximum > 0 ? 127 / maximum : 0);
    let squares = f32x4.splat(0), errors = f32x4.splat(0);
    let to = codes + HEADER;
    for (let at = rows, last = rows + row; at < last; at += BYTES, to += 8) {
      const halves = v128.load(at);
      const a = f32x4.mul(even(halves, mask), unshifted);
      const b = f32x4.mul(odd(halves, mask), unshifted);
      const roundA = f32x4.add(f32x4.mul(a, factors), rounder);
      const roundB = f32x4.add(f32x4.mul(b, factors), rounder);
      const errorA = f32x4.sub(a, f32x4.mul(f32x4.sub(roundA, rounder), scales));
      const errorB = f32x4.sub(b, f32x4.mul(f32x4.sub(roundB, rounder), scales));
      squares = f32x4.add(f32x4.add(squares, f32x4.mul(a, a)), f32x4.mul(b, b));
      errors = f32x4.add(f32x4.add(errors, f32x4.mul(errorA, errorA)), f32x4.mul(errorB, errorB));
      const shorts = i16x8.narrow_i32x4_s(i32x4.sub(roundA, rounder), i32x4.sub(roundB, rounder));
      v128.store64_lane(to, i8x16.narrow_i16x8_s(shorts, shorts), 0);
    }
    const error = lengthOf(errors);
    const tolerance = (error + slack * (lengthOf(squares) + error)) * (1 + rounding);
    store<f32>(codes, scale);
    store<f32>(codes, roundUp(tolerance), 4);
    codes = to;
  }
}

// @ts-ignore: decorator
@inline
function lengthOf(squares: v128): f64 {
  const sum = <f64> f32x4.extract_lane(squares, 0) + <f64> f32x4.extract_lane(squares, 1) +
    <f64> f32x4.extract_lane(squares, 2) + <f64> f32x4.extract_lane(squares, 3);
  return sqrt(sum);
}

/** A float32 that is not smaller. */
// @ts-ignore: decorator
@inline
function roundUp(x: f64): f32 {
  return <f32> (x * (1 + 2 * f32.EPSILON));
}
