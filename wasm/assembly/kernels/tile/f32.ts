// The innermost loop of f32: one tile of a matrix product A · B, whose sums stay in registers.
//
// A is [rows][k], its rows `stride` bytes apart; B is a panel, eight columns of a matrix: the eight
// numbers of k = 0, then those of k = 1, and so on.
//
// A multiply-add waits four cycles for the sum before, and two begin in each cycle: eight sums would have to be
// perfectly in step, ten need not be. Every load costs a bounds check, so four numbers of two rows of A come in
// one load each, and shuffles spread them; for more rows there are no registers.

import { exactMadd, lane0, lane1, lane2, lane3, madd } from "../simd";

/** Rows of a tile. */
export const ROWS_F32: i32 = 5;

/**
 * out = A · B
 *
 * @param a f32 [rows][k], `stride` bytes apart; up to four rows are read past the last
 * @param b f32 [k][8]
 * @param out f32 [rows][8], `outStride` bytes apart; up to four rows are written past the last
 */
export function multiplyF32(
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  k: i32,
  out: usize,
  outStride: usize,
): void {
  for (let row = 0; row < rows; row += ROWS_F32, a += ROWS_F32 * stride, out += ROWS_F32 * outStride) {
    tile<i32>(a, stride, b, k, out, outStride);
  }
}

/** {@linkcode multiplyF32} with the same bits in both builds. */
export function multiplyExact(
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  k: i32,
  out: usize,
  outStride: usize,
): void {
  for (let row = 0; row < rows; row += ROWS_F32, a += ROWS_F32 * stride, out += ROWS_F32 * outStride) {
    tile<f32>(a, stride, b, k, out, outStride);
  }
}

/** out [5][8] = A [5][k] · B [k][8], exact if `Rounded` is a float. */
function tile<Rounded>(a: usize, stride: usize, b: usize, k: i32, out: usize, outStride: usize): void {
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  const row4 = 4 * stride;
  let sum0 = f32x4.splat(0), more0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0), more1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0), more2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0), more3 = f32x4.splat(0);
  let sum4 = f32x4.splat(0), more4 = f32x4.splat(0);
  const whole = a + 4 * (k & -4);
  const end = a + 4 * k;
  for (; a < whole; a += 16, b += 128) {
    const a0 = v128.load(a);
    const a1 = v128.load(a + row1);
    let left = v128.load(b), right = v128.load(b, 16);
    let x = lane0(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane0(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = v128.load32_splat(a + row2);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = v128.load32_splat(a + row3);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    x = v128.load32_splat(a + row4);
    sum4 = add<Rounded>(x, left, sum4);
    more4 = add<Rounded>(x, right, more4);
    left = v128.load(b, 32), right = v128.load(b, 48);
    x = lane1(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane1(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = v128.load32_splat(a + row2, 4);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = v128.load32_splat(a + row3, 4);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    x = v128.load32_splat(a + row4, 4);
    sum4 = add<Rounded>(x, left, sum4);
    more4 = add<Rounded>(x, right, more4);
    left = v128.load(b, 64), right = v128.load(b, 80);
    x = lane2(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane2(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = v128.load32_splat(a + row2, 8);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = v128.load32_splat(a + row3, 8);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    x = v128.load32_splat(a + row4, 8);
    sum4 = add<Rounded>(x, left, sum4);
    more4 = add<Rounded>(x, right, more4);
    left = v128.load(b, 96), right = v128.load(b, 112);
    x = lane3(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane3(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = v128.load32_splat(a + row2, 12);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = v128.load32_splat(a + row3, 12);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    x = v128.load32_splat(a + row4, 12);
    sum4 = add<Rounded>(x, left, sum4);
    more4 = add<Rounded>(x, right, more4);
  }
  for (; a < end; a += 4, b += 32) {
    const left = v128.load(b), right = v128.load(b, 16);
    let x = v128.load32_splat(a);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = v128.load32_splat(a + row1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = v128.load32_splat(a + row2);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = v128.load32_splat(a + row3);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    x = v128.load32_splat(a + row4);
    sum4 = add<Rounded>(x, left, sum4);
    more4 = add<Rounded>(x, right, more4);
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
  out += outStride;
  v128.store(out, sum4);
  v128.store(out, more4, 16);
}

/** a · b + c */
// @ts-ignore: decorator
@inline
function add<Rounded>(a: v128, b: v128, c: v128): v128 {
  return isFloat<Rounded>() ? exactMadd(a, b, c) : madd(a, b, c);
}
