import { Scratch } from "./scratch";
import { ROUNDER, roundFour } from "./simd";

/**
 * Quantises one row to signed 8 bits: q = round(x / scale), scale = max |x| / 127. The scale of a row with an
 * infinity or NaN is not finite, so no output of that row is.
 *
 * @param x f32 [width]
 * @param out i8 [width], and zeros up to a multiple of 4
 * @param scale f32, written
 * @param start i32, written: -64 Σ q; see `linearI8`
 */
export function quantizeRow(x: usize, width: i32, out: usize, scale: usize, start: usize): void {
  const whole: usize = 4 * (width & -4);
  const end: usize = 4 * width;
  // Without the sign, the bits of floats are ordered like the floats; NaN comes last.
  const unsigned = i32x4.splat(0x7fffffff);
  let largest = i32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    largest = i32x4.max_s(largest, v128.and(v128.load(x + i), unsigned));
  }
  let bits = max(
    max(i32x4.extract_lane(largest, 0), i32x4.extract_lane(largest, 1)),
    max(i32x4.extract_lane(largest, 2), i32x4.extract_lane(largest, 3)),
  );
  for (let i = whole; i < end; i += 4) bits = max(bits, load<i32>(x + i) & 0x7fffffff);
  const maximum = max(reinterpret<f32>(bits), <f32>1e-30); // a row of zeros may have any scale
  store<f32>(scale, maximum / 127);
  const factor = f32x4.splat(127 / maximum);
  const rounder = f32x4.splat(ROUNDER);
  let sums = i32x4.splat(0);
  let i: usize = 0;
  for (const sixteens: usize = 4 * (width & -16); i < sixteens; i += 64, out += 16) {
    const a = roundFour(f32x4.mul(v128.load(x + i), factor), rounder);
    const b = roundFour(f32x4.mul(v128.load(x + i, 16), factor), rounder);
    const c = roundFour(f32x4.mul(v128.load(x + i, 32), factor), rounder);
    const d = roundFour(f32x4.mul(v128.load(x + i, 48), factor), rounder);
    sums = i32x4.add(sums, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
    const words = i16x8.narrow_i32x4_s(a, b);
    v128.store(out, i8x16.narrow_i16x8_s(words, i16x8.narrow_i32x4_s(c, d)));
  }
  for (; i < whole; i += 16, out += 4) {
    const four = roundFour(f32x4.mul(v128.load(x + i), factor), rounder);
    sums = i32x4.add(sums, four);
    storeBytes(four, out);
  }
  if (whole < end) {
    let rest = f32x4.replace_lane(f32x4.splat(0), 0, load<f32>(x + whole));
    if (whole + 4 < end) rest = f32x4.replace_lane(rest, 1, load<f32>(x + whole, 4));
    if (whole + 8 < end) rest = f32x4.replace_lane(rest, 2, load<f32>(x + whole, 8));
    const four = roundFour(f32x4.mul(rest, factor), rounder);
    sums = i32x4.add(sums, four);
    storeBytes(four, out);
  }
  const sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  store<i32>(start, -64 * sum);
}

/** Quantises f32 [width] into a row of a scratch. */
export function quantizeInto(scratch: Scratch, row: i32, x: usize, width: i32): void {
  quantizeRow(
    x,
    width,
    scratch.quantized + row * scratch.quantizedStride,
    scratch.rowScale + 4 * row,
    scratch.rowStart + 4 * row,
  );
}

/** Stores four numbers as bytes. */
// @ts-ignore: decorator
@inline
function storeBytes(four: v128, out: usize): void {
  const words = i16x8.narrow_i32x4_s(four, four);
  v128.store32_lane(out, i8x16.narrow_i16x8_s(words, words), 0);
}
