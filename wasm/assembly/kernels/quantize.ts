import { Scratch } from "./scratch";
import { ROUNDER, roundFour } from "./simd";
import { LARGEST_QUAD } from "./tile/i8_pairwise";

/** What four numbers may add up to before they are rounded, each up or down by up to a half. */
const LARGEST_SUM: f32 = <f32>(LARGEST_QUAD - 2);

/**
 * Quantises one row to signed 8 bits: q = round(x / scale). The largest |q| is 127, or less where four numbers
 * are so large together that their products would not fit in 16 bits; see `quadTile`. The scale of a row with
 * an infinity or NaN is not finite, so no output of that row is.
 *
 * @param x f32 [width]
 * @param out i8 [width], and zeros up to a multiple of 4
 * @param scale f32, written
 * @param start i32, written: -64 Σ q; see `linearI8`
 */
export function quantizeRow(x: usize, width: i32, out: usize, scale: usize, start: usize): void {
  const whole: usize = 4 * (width & -4);
  const end: usize = 4 * width;
  let rest = f32x4.splat(0);
  if (whole < end) {
    rest = f32x4.replace_lane(rest, 0, load<f32>(x + whole));
    if (whole + 4 < end) rest = f32x4.replace_lane(rest, 1, load<f32>(x + whole, 4));
    if (whole + 8 < end) rest = f32x4.replace_lane(rest, 2, load<f32>(x + whole, 8));
  }
  const maximum = max(largestOfRow(x, whole, rest), <f32>1e-30); // a row of zeros may have any scale
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
    const four = roundFour(f32x4.mul(rest, factor), rounder);
    sums = i32x4.add(sums, four);
    storeBytes(four, out);
  }
  const sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
  store<i32>(start, -64 * sum);
}

/**
 * What 127 stands for in a row: the largest |x|, or more where four numbers would add up to more than
 * LARGEST_SUM. These are two neighbours of one group of four numbers, and their like in the next group.
 *
 * @param whole the bytes of the groups
 * @param rest the last group, if it is not whole
 */
// @ts-ignore: decorator
@inline
function largestOfRow(x: usize, whole: usize, rest: v128): f32 {
  const zero = f32x4.splat(0);
  // Without the sign, the bits of floats are ordered like the floats; NaN comes last.
  const unsigned = i32x4.splat(0x7fffffff);
  let bits = v128.and(rest, unsigned);
  let most = zero, least = zero;
  let i: usize = 0;
  for (const pairs = whole & -32; i < pairs; i += 32) {
    const a = v128.load(x + i), b = v128.load(x + i, 16);
    bits = i32x4.max_s(bits, i32x4.max_s(v128.and(a, unsigned), v128.and(b, unsigned)));
    most = f32x4.pmax(most, sumsOfTwo(f32x4.add(f32x4.pmax(a, zero), f32x4.pmax(b, zero))));
    least = f32x4.pmin(least, sumsOfTwo(f32x4.add(f32x4.pmin(a, zero), f32x4.pmin(b, zero))));
  }
  if (i < whole) {
    const a = v128.load(x + i);
    bits = i32x4.max_s(bits, v128.and(a, unsigned));
    most = f32x4.pmax(most, sumsOfTwo(f32x4.add(f32x4.pmax(a, zero), f32x4.pmax(rest, zero))));
    least = f32x4.pmin(least, sumsOfTwo(f32x4.add(f32x4.pmin(a, zero), f32x4.pmin(rest, zero))));
  }
  const largest = max(
    max(i32x4.extract_lane(bits, 0), i32x4.extract_lane(bits, 1)),
    max(i32x4.extract_lane(bits, 2), i32x4.extract_lane(bits, 3)),
  );
  const sums = f32x4.pmax(most, f32x4.neg(least));
  const sum = max(f32x4.extract_lane(sums, 0), f32x4.extract_lane(sums, 2));
  return max(reinterpret<f32>(largest), sum * (127 / LARGEST_SUM));
}

/** a0 + a1, a0 + a1, a2 + a3, a2 + a3 */
// @ts-ignore: decorator
@inline
function sumsOfTwo(a: v128): v128 {
  return f32x4.add(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2));
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
