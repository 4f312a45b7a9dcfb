// Pillow's two resampling passes on 8-bit channels, in WebAssembly SIMD (AssemblyScript).
//
// A weight is 22-bit fixed point, too wide for the 16-bit dot product that makes this fast. So it
// comes in two halves, w = high · 2¹¹ + low with 0 ≤ low < 2¹¹, and so does every sum:
// Σ pixel·w = (Σ pixel·high) · 2¹¹ + Σ pixel·low, which is exact in 32 bits. Two taps that follow
// each other make one dot product; their weights lie side by side as two 16-bit numbers. An odd last
// tap is paired with a weight of 0.

const PRECISION_BITS: i32 = 22;
const HALF: i32 = 1 << (PRECISION_BITS - 1);
const LOW_BITS: i32 = 11;

/** The sums of four channels as 8-bit levels, in the four lowest bytes. */
// @ts-ignore: decorator
@inline
function toLevels(high: v128, low: v128): v128 {
  const sum = i32x4.add(i32x4.shl(high, LOW_BITS), i32x4.add(low, i32x4.splat(HALF)));
  const level = i32x4.shr_s(sum, PRECISION_BITS);
  const narrow = i16x8.narrow_i32x4_s(level, level);
  return i8x16.narrow_i16x8_u(narrow, narrow); // clamps to 0..255
}

/**
 * The horizontal pass: `rows` rows of RGB pixels from `source`, each of `stride` bytes, to rows of
 * `outWidth` pixels at `target`. May read 15 bytes past the last row and write 1 byte past `target`.
 *
 * @param starts for each output column the first source column, i32
 * @param pairs for each output column the number of pairs of taps, i32
 * @param high @param low for each output column `size` pairs of halves of weights, 2 × i16
 */
export function resampleRows(
  source: usize,
  stride: i32,
  rows: i32,
  target: usize,
  outWidth: i32,
  starts: usize,
  pairs: usize,
  high: usize,
  low: usize,
  size: i32,
): void {
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < outWidth; x++) {
      let from = source + 3 * load<i32>(starts + 4 * x);
      let weights: usize = 4 * x * size;
      const end: usize = weights + 4 * load<i32>(pairs + 4 * x);
      let sumHigh = i32x4.splat(0);
      let sumLow = i32x4.splat(0);
      // Four pixels, two pairs, a turn; 12 of the 16 bytes that are read.
      for (; weights + 4 < end; weights += 8, from += 12) {
        const pixels = v128.load(from);
        // r0 r1 g0 g1 b0 b1 as 16-bit numbers: byte 16 is of the vector of zeros.
        const first = i8x16.shuffle(pixels, i32x4.splat(0), 0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16);
        const second = i8x16.shuffle(pixels, i32x4.splat(0), 6, 16, 9, 16, 7, 16, 10, 16, 8, 16, 11, 16, 16, 16, 16, 16);
        sumHigh = i32x4.add(sumHigh, i32x4.dot_i16x8_s(first, v128.load32_splat(high + weights)));
        sumLow = i32x4.add(sumLow, i32x4.dot_i16x8_s(first, v128.load32_splat(low + weights)));
        sumHigh = i32x4.add(sumHigh, i32x4.dot_i16x8_s(second, v128.load32_splat(high + weights, 4)));
        sumLow = i32x4.add(sumLow, i32x4.dot_i16x8_s(second, v128.load32_splat(low + weights, 4)));
      }
      if (weights < end) {
        const pixels = v128.load64_zero(from);
        const first = i8x16.shuffle(pixels, i32x4.splat(0), 0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16);
        sumHigh = i32x4.add(sumHigh, i32x4.dot_i16x8_s(first, v128.load32_splat(high + weights)));
        sumLow = i32x4.add(sumLow, i32x4.dot_i16x8_s(first, v128.load32_splat(low + weights)));
      }
      // Four bytes for three: the next pixel overwrites the fourth.
      v128.store32_lane(target, toLevels(sumHigh, sumLow), 0);
      target += 3;
    }
    source += stride;
  }
}

/**
 * One row of the vertical pass: `taps` rows of `stride` bytes from `source` to one at `target`.
 * `stride` is a multiple of 16. An odd last tap is paired with the row after it, which must be
 * readable.
 *
 * @param high @param low pairs of halves of weights, 2 × i16
 */
export function resampleColumns(
  source: usize,
  stride: i32,
  pairs: i32,
  target: usize,
  high: usize,
  low: usize,
): void {
  for (let x = 0; x < stride; x += 16) {
    let high0 = i32x4.splat(0), high1 = i32x4.splat(0), high2 = i32x4.splat(0), high3 = i32x4.splat(0);
    let low0 = i32x4.splat(0), low1 = i32x4.splat(0), low2 = i32x4.splat(0), low3 = i32x4.splat(0);
    let from = source + x;
    for (let i = 0; i < pairs; i++, from += 2 * stride) {
      const upper = v128.load(from);
      const lower = v128.load(from + stride);
      // Upper and lower bytes in turn, then widened: u0 l0 u1 l1 … as 16-bit numbers.
      const left = i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const right = i8x16.shuffle(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const a = i16x8.extend_low_i8x16_u(left);
      const b = i16x8.extend_high_i8x16_u(left);
      const c = i16x8.extend_low_i8x16_u(right);
      const d = i16x8.extend_high_i8x16_u(right);
      const weightHigh = v128.load32_splat(high + 4 * i);
      const weightLow = v128.load32_splat(low + 4 * i);
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(a, weightHigh));
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(b, weightHigh));
      high2 = i32x4.add(high2, i32x4.dot_i16x8_s(c, weightHigh));
      high3 = i32x4.add(high3, i32x4.dot_i16x8_s(d, weightHigh));
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(a, weightLow));
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(b, weightLow));
      low2 = i32x4.add(low2, i32x4.dot_i16x8_s(c, weightLow));
      low3 = i32x4.add(low3, i32x4.dot_i16x8_s(d, weightLow));
    }
    v128.store32_lane(target + x, toLevels(high0, low0), 0);
    v128.store32_lane(target + x, toLevels(high1, low1), 0, 4);
    v128.store32_lane(target + x, toLevels(high2, low2), 0, 8);
    v128.store32_lane(target + x, toLevels(high3, low3), 0, 12);
  }
}
