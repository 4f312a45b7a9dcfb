// The innermost loop of int8 without relaxed SIMD: numbers are widened to 16 bits, those of B once for all rows.
// A number from 0 to 127 may be taken as signed, so either side may be the signed one.

import { lane0, lane1, lane2, lane3 } from "../simd";

/**
 * Widens a panel, and puts pairs of numbers of k together.
 *
 * @param b 8-bit [groups][8][4]
 * @param out i16 [2 · groups][8][2]
 */
export function widenPanel(b: usize, groups: i32, out: usize): void {
  for (const end = b + 32 * groups; b < end; b += 32, out += 64) {
    const left = pairsFirst(v128.load(b)), right = pairsFirst(v128.load(b, 16));
    v128.store(out, i16x8.extend_low_i8x16_s(left));
    v128.store(out, i16x8.extend_low_i8x16_s(right), 16);
    v128.store(out, i16x8.extend_high_i8x16_s(left), 32);
    v128.store(out, i16x8.extend_high_i8x16_s(right), 48);
  }
}

/** The first two numbers of each of four columns, then the last two. */
// @ts-ignore: decorator
@inline
function pairsFirst(v: v128): v128 {
  return v128.shuffle<i8>(v, v, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
}

/**
 * out [4][8] = A [4][4 · groups] · B + starts [4]
 *
 * @param a i8 [4][4 · groups], `stride` bytes apart
 * @param b i16 [2 · groups][8][2]
 */
export function wideTile(
  a: usize,
  stride: usize,
  b: usize,
  groups: i32,
  starts: usize,
  out: usize,
  outStride: usize,
): void {
  let sum0 = v128.load32_splat(starts), more0 = sum0;
  let sum1 = v128.load32_splat(starts, 4), more1 = sum1;
  let sum2 = v128.load32_splat(starts, 8), more2 = sum2;
  let sum3 = v128.load32_splat(starts, 12), more3 = sum3;
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  for (const end = b + 64 * (groups & -2); b < end; a += 8, b += 128) {
    const a0 = v128.load8x8_s(a);
    const a1 = v128.load8x8_s(a + row1);
    const a2 = v128.load8x8_s(a + row2);
    const a3 = v128.load8x8_s(a + row3);
    let left = v128.load(b), right = v128.load(b, 16);
    let x = lane0(a0);
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(x, left));
    more0 = i32x4.add(more0, i32x4.dot_i16x8_s(x, right));
    x = lane0(a1);
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(x, left));
    more1 = i32x4.add(more1, i32x4.dot_i16x8_s(x, right));
    x = lane0(a2);
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(x, left));
    more2 = i32x4.add(more2, i32x4.dot_i16x8_s(x, right));
    x = lane0(a3);
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(x, left));
    more3 = i32x4.add(more3, i32x4.dot_i16x8_s(x, right));
    left = v128.load(b, 32), right = v128.load(b, 48);
    x = lane1(a0);
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(x, left));
    more0 = i32x4.add(more0, i32x4.dot_i16x8_s(x, right));
    x = lane1(a1);
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(x, left));
    more1 = i32x4.add(more1, i32x4.dot_i16x8_s(x, right));
    x = lane1(a2);
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(x, left));
    more2 = i32x4.add(more2, i32x4.dot_i16x8_s(x, right));
    x = lane1(a3);
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(x, left));
    more3 = i32x4.add(more3, i32x4.dot_i16x8_s(x, right));
    left = v128.load(b, 64), right = v128.load(b, 80);
    x = lane2(a0);
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(x, left));
    more0 = i32x4.add(more0, i32x4.dot_i16x8_s(x, right));
    x = lane2(a1);
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(x, left));
    more1 = i32x4.add(more1, i32x4.dot_i16x8_s(x, right));
    x = lane2(a2);
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(x, left));
    more2 = i32x4.add(more2, i32x4.dot_i16x8_s(x, right));
    x = lane2(a3);
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(x, left));
    more3 = i32x4.add(more3, i32x4.dot_i16x8_s(x, right));
    left = v128.load(b, 96), right = v128.load(b, 112);
    x = lane3(a0);
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(x, left));
    more0 = i32x4.add(more0, i32x4.dot_i16x8_s(x, right));
    x = lane3(a1);
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(x, left));
    more1 = i32x4.add(more1, i32x4.dot_i16x8_s(x, right));
    x = lane3(a2);
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(x, left));
    more2 = i32x4.add(more2, i32x4.dot_i16x8_s(x, right));
    x = lane3(a3);
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(x, left));
    more3 = i32x4.add(more3, i32x4.dot_i16x8_s(x, right));
  }
  if (groups & 1) {
    for (const end = b + 64; b < end; a += 2, b += 32) {
      const left = v128.load(b), right = v128.load(b, 16);
      let x = lane0(i16x8.extend_low_i8x16_s(v128.load16_splat(a)));
      sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(x, left));
      more0 = i32x4.add(more0, i32x4.dot_i16x8_s(x, right));
      x = lane0(i16x8.extend_low_i8x16_s(v128.load16_splat(a + row1)));
      sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(x, left));
      more1 = i32x4.add(more1, i32x4.dot_i16x8_s(x, right));
      x = lane0(i16x8.extend_low_i8x16_s(v128.load16_splat(a + row2)));
      sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(x, left));
      more2 = i32x4.add(more2, i32x4.dot_i16x8_s(x, right));
      x = lane0(i16x8.extend_low_i8x16_s(v128.load16_splat(a + row3)));
      sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(x, left));
      more3 = i32x4.add(more3, i32x4.dot_i16x8_s(x, right));
    }
  }
  v128.store(out, sum0);
  v128.store(out, more0, 16);
  out += outStride;
  v128.store(out, sum1);
  v128.store(out, more1, 16);
  out += outStride;
  v128.store(out, sum2);
  v128.store(out, more2, 16);
  out += outStride;
  v128.store(out, sum3);
  v128.store(out, more3, 16);
}
