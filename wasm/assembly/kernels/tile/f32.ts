// The innermost loops of f32: one tile of a matrix product A · B, whose sums stay in registers.
//
// A is [rows][k], its rows `stride` bytes apart; B is a panel, eight columns of a matrix: the eight
// numbers of k = 0, then those of k = 1, and so on. Every load costs a bounds check, so four numbers of a
// row of A come in one load, and shuffles spread each of them.

import { exactMadd, madd } from "../simd";

/** Rows of a tile that is one panel wide. */
const ROWS: i32 = 4;
/** Rows of a tile that is two panels wide: eight sums, four vectors of B, two of A and a spread number. */
const ROWS_OF_TWO: i32 = 2;

/**
 * Panels that {@linkcode multiplyF32} best takes at once. Without fused multiply-add, products need
 * registers too, and two panels are no faster.
 */
export const PANELS_F32: i32 = ASC_FEATURE_RELAXED_SIMD ? 2 : 1;

/**
 * out = A · B, of one panel or two.
 *
 * @param a f32 [rows][k], `stride` bytes apart; up to three rows are read past the last
 * @param b f32 [panels][k][8], the panels `panelBytes` apart
 * @param out f32 [rows][8 · panels], `outStride` bytes apart; up to three rows are written past the last
 */
export function multiplyF32(
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  panels: i32,
  panelBytes: usize,
  k: i32,
  out: usize,
  outStride: usize,
): void {
  if (panels == 2) {
    for (let row = 0; row < rows; row += ROWS_OF_TWO, a += ROWS_OF_TWO * stride, out += ROWS_OF_TWO * outStride) {
      tileOfTwo(a, stride, b, b + panelBytes, k, out, outStride);
    }
  } else {
    for (let row = 0; row < rows; row += ROWS, a += ROWS * stride, out += ROWS * outStride) {
      tile<i32>(a, stride, b, k, out, outStride);
    }
  }
}

/**
 * out = A · B of one panel, with the same bits in both builds; see {@linkcode multiplyF32}.
 */
export function multiplyExact(
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  k: i32,
  out: usize,
  outStride: usize,
): void {
  for (let row = 0; row < rows; row += ROWS, a += ROWS * stride, out += ROWS * outStride) {
    tile<f32>(a, stride, b, k, out, outStride);
  }
}

/** out [4][8] = A [4][k] · B [k][8], exact if `Rounded` is a float. */
function tile<Rounded>(a: usize, stride: usize, b: usize, k: i32, out: usize, outStride: usize): void {
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  let sum0 = f32x4.splat(0), more0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0), more1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0), more2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0), more3 = f32x4.splat(0);
  const whole = a + 4 * (k & -4);
  const end = a + 4 * k;
  for (; a < whole; a += 16, b += 128) {
    const a0 = v128.load(a);
    const a1 = v128.load(a + row1);
    const a2 = v128.load(a + row2);
    const a3 = v128.load(a + row3);
    let left = v128.load(b), right = v128.load(b, 16);
    let x = lane0(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane0(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = lane0(a2);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = lane0(a3);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    left = v128.load(b, 32), right = v128.load(b, 48);
    x = lane1(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane1(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = lane1(a2);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = lane1(a3);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    left = v128.load(b, 64), right = v128.load(b, 80);
    x = lane2(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane2(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = lane2(a2);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = lane2(a3);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
    left = v128.load(b, 96), right = v128.load(b, 112);
    x = lane3(a0);
    sum0 = add<Rounded>(x, left, sum0);
    more0 = add<Rounded>(x, right, more0);
    x = lane3(a1);
    sum1 = add<Rounded>(x, left, sum1);
    more1 = add<Rounded>(x, right, more1);
    x = lane3(a2);
    sum2 = add<Rounded>(x, left, sum2);
    more2 = add<Rounded>(x, right, more2);
    x = lane3(a3);
    sum3 = add<Rounded>(x, left, sum3);
    more3 = add<Rounded>(x, right, more3);
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

/** a · b + c */
// @ts-ignore: decorator
@inline
function add<Rounded>(a: v128, b: v128, c: v128): v128 {
  return isFloat<Rounded>() ? exactMadd(a, b, c) : madd(a, b, c);
}

/** out [2][16] = A [2][k] · (B [k][8], C [k][8]) */
function tileOfTwo(
  a: usize,
  stride: usize,
  b: usize,
  c: usize,
  k: i32,
  out: usize,
  outStride: usize,
): void {
  let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0), sum2 = f32x4.splat(0), sum3 = f32x4.splat(0);
  let next0 = f32x4.splat(0), next1 = f32x4.splat(0), next2 = f32x4.splat(0), next3 = f32x4.splat(0);
  const whole = a + 4 * (k & -4);
  const end = a + 4 * k;
  for (; a < whole; a += 16, b += 128, c += 128) {
    const a0 = v128.load(a);
    const a1 = v128.load(a + stride);
    let b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(c), b3 = v128.load(c, 16);
    let x = lane0(a0);
    sum0 = madd(x, b0, sum0);
    sum1 = madd(x, b1, sum1);
    sum2 = madd(x, b2, sum2);
    sum3 = madd(x, b3, sum3);
    x = lane0(a1);
    next0 = madd(x, b0, next0);
    next1 = madd(x, b1, next1);
    next2 = madd(x, b2, next2);
    next3 = madd(x, b3, next3);
    b0 = v128.load(b, 32), b1 = v128.load(b, 48), b2 = v128.load(c, 32), b3 = v128.load(c, 48);
    x = lane1(a0);
    sum0 = madd(x, b0, sum0);
    sum1 = madd(x, b1, sum1);
    sum2 = madd(x, b2, sum2);
    sum3 = madd(x, b3, sum3);
    x = lane1(a1);
    next0 = madd(x, b0, next0);
    next1 = madd(x, b1, next1);
    next2 = madd(x, b2, next2);
    next3 = madd(x, b3, next3);
    b0 = v128.load(b, 64), b1 = v128.load(b, 80), b2 = v128.load(c, 64), b3 = v128.load(c, 80);
    x = lane2(a0);
    sum0 = madd(x, b0, sum0);
    sum1 = madd(x, b1, sum1);
    sum2 = madd(x, b2, sum2);
    sum3 = madd(x, b3, sum3);
    x = lane2(a1);
    next0 = madd(x, b0, next0);
    next1 = madd(x, b1, next1);
    next2 = madd(x, b2, next2);
    next3 = madd(x, b3, next3);
    b0 = v128.load(b, 96), b1 = v128.load(b, 112), b2 = v128.load(c, 96), b3 = v128.load(c, 112);
    x = lane3(a0);
    sum0 = madd(x, b0, sum0);
    sum1 = madd(x, b1, sum1);
    sum2 = madd(x, b2, sum2);
    sum3 = madd(x, b3, sum3);
    x = lane3(a1);
    next0 = madd(x, b0, next0);
    next1 = madd(x, b1, next1);
    next2 = madd(x, b2, next2);
    next3 = madd(x, b3, next3);
  }
  for (; a < end; a += 4, b += 32, c += 32) {
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(c), b3 = v128.load(c, 16);
    let x = v128.load32_splat(a);
    sum0 = madd(x, b0, sum0);
    sum1 = madd(x, b1, sum1);
    sum2 = madd(x, b2, sum2);
    sum3 = madd(x, b3, sum3);
    x = v128.load32_splat(a + stride);
    next0 = madd(x, b0, next0);
    next1 = madd(x, b1, next1);
    next2 = madd(x, b2, next2);
    next3 = madd(x, b3, next3);
  }
  v128.store(out, sum0);
  v128.store(out, sum1, 16);
  v128.store(out, sum2, 32);
  v128.store(out, sum3, 48);
  out += outStride;
  v128.store(out, next0);
  v128.store(out, next1, 16);
  v128.store(out, next2, 32);
  v128.store(out, next3, 48);
}

// @ts-ignore: decorator
@inline
export function lane0(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 0, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
export function lane1(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 1, 1, 1, 1);
}

// @ts-ignore: decorator
@inline
export function lane2(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 2, 2, 2, 2);
}

// @ts-ignore: decorator
@inline
export function lane3(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 3, 3, 3, 3);
}
