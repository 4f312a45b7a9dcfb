// The innermost loops: one tile of a matrix product, TILE_ROWS × PANEL numbers that stay in registers.
//
// A · B, where A is [TILE_ROWS][k] and B [k][8]. The rows of A are `stride` bytes apart; B is a panel,
// eight columns of a matrix: the eight numbers of k = 0, then those of k = 1, and so on. A step takes
// 4 bytes of k: one f32, or four 8-bit numbers.

import { madd, TILE_ROWS } from "./simd";

/**
 * out = A · B.
 *
 * @param a f32 [TILE_ROWS][k], `stride` bytes apart
 * @param b f32 [k][8]
 * @param out f32 [TILE_ROWS][8], `outStride` bytes apart
 */
export function tileF32(a: usize, stride: usize, b: usize, k: i32, out: usize, outStride: usize): void {
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  const row4 = 4 * stride;
  const row5 = 5 * stride;
  let sum0 = f32x4.splat(0), more0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0), more1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0), more2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0), more3 = f32x4.splat(0);
  let sum4 = f32x4.splat(0), more4 = f32x4.splat(0);
  let sum5 = f32x4.splat(0), more5 = f32x4.splat(0);
  const end = a + 4 * k;
  for (; a < end; a += 4, b += 32) {
    const left = v128.load(b), right = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    sum0 = madd(a0, left, sum0);
    more0 = madd(a0, right, more0);
    const a1 = v128.load32_splat(a + row1);
    sum1 = madd(a1, left, sum1);
    more1 = madd(a1, right, more1);
    const a2 = v128.load32_splat(a + row2);
    sum2 = madd(a2, left, sum2);
    more2 = madd(a2, right, more2);
    const a3 = v128.load32_splat(a + row3);
    sum3 = madd(a3, left, sum3);
    more3 = madd(a3, right, more3);
    const a4 = v128.load32_splat(a + row4);
    sum4 = madd(a4, left, sum4);
    more4 = madd(a4, right, more4);
    if (TILE_ROWS == 6) {
      const a5 = v128.load32_splat(a + row5);
      sum5 = madd(a5, left, sum5);
      more5 = madd(a5, right, more5);
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
  out += outStride;
  v128.store(out, sum4);
  v128.store(out, more4, 16);
  out += outStride;
  if (TILE_ROWS == 6) {
    v128.store(out, sum5);
    v128.store(out, more5, 16);
  }
}

/**
 * out = A · (B - 64) = A · B - 64 Σₖ A. Relaxed SIMD multiplies signed by seven-bit numbers, so
 * weights are stored plus 64; the sums start at what makes up for it.
 *
 * @param a i8 [TILE_ROWS][4 k], `stride` bytes apart
 * @param b u8 [k][8][4], 0 to 127
 * @param starts i32 [TILE_ROWS]: of each row -64 times its sum
 * @param out i32 [TILE_ROWS][8]
 */
export function tileI8(a: usize, stride: usize, b: usize, k: i32, starts: usize, out: usize): void {
  if (!ASC_FEATURE_RELAXED_SIMD) {
    for (let r = 0; r < TILE_ROWS; r++) rowI8(a + r * stride, b, k, starts + 4 * r, out + 32 * r);
    return;
  }
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  const row4 = 4 * stride;
  const row5 = 5 * stride;
  let sum0 = v128.load32_splat(starts, 0), more0 = sum0;
  let sum1 = v128.load32_splat(starts, 4), more1 = sum1;
  let sum2 = v128.load32_splat(starts, 8), more2 = sum2;
  let sum3 = v128.load32_splat(starts, 12), more3 = sum3;
  let sum4 = v128.load32_splat(starts, 16), more4 = sum4;
  let sum5 = v128.load32_splat(starts, 20), more5 = sum5;
  const end = a + 4 * k;
  for (; a < end; a += 4, b += 32) {
    const left = v128.load(b), right = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    sum0 = dot(a0, left, sum0);
    more0 = dot(a0, right, more0);
    const a1 = v128.load32_splat(a + row1);
    sum1 = dot(a1, left, sum1);
    more1 = dot(a1, right, more1);
    const a2 = v128.load32_splat(a + row2);
    sum2 = dot(a2, left, sum2);
    more2 = dot(a2, right, more2);
    const a3 = v128.load32_splat(a + row3);
    sum3 = dot(a3, left, sum3);
    more3 = dot(a3, right, more3);
    const a4 = v128.load32_splat(a + row4);
    sum4 = dot(a4, left, sum4);
    more4 = dot(a4, right, more4);
    const a5 = v128.load32_splat(a + row5);
    sum5 = dot(a5, left, sum5);
    more5 = dot(a5, right, more5);
  }
  v128.store(out, sum0, 0);
  v128.store(out, more0, 16);
  v128.store(out, sum1, 32);
  v128.store(out, more1, 48);
  v128.store(out, sum2, 64);
  v128.store(out, more2, 80);
  v128.store(out, sum3, 96);
  v128.store(out, more3, 112);
  v128.store(out, sum4, 128);
  v128.store(out, more4, 144);
  v128.store(out, sum5, 160);
  v128.store(out, more5, 176);
}

/** sumᵢ + Σⱼ aᵢⱼ bᵢⱼ of four sums, with four 8-bit numbers of a and b each. */
// @ts-ignore: decorator
@inline
function dot(a: v128, b: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sum);
  return sum;
}

/** One row of {@linkcode tileI8} without relaxed SIMD. */
function rowI8(a: usize, b: usize, k: i32, start: usize, out: usize): void {
  let sum = v128.load32_splat(start), more = sum;
  const end = a + 4 * k;
  for (; a < end; a += 4, b += 32) {
    // Four numbers twice, as 16 bits; a dot product has two halves of the sums of two columns.
    const four = i16x8.extend_low_i8x16_s(v128.load32_splat(a));
    sum = i32x4.add(sum, pairs(dot16(four, b), dot16(four, b + 8)));
    more = i32x4.add(more, pairs(dot16(four, b + 16), dot16(four, b + 24)));
  }
  v128.store(out, sum);
  v128.store(out, more, 16);
}

/** Sums of pairs of products, of two columns of b. */
// @ts-ignore: decorator
@inline
function dot16(a: v128, b: usize): v128 {
  return i32x4.dot_i16x8_s(a, v128.load8x8_u(b));
}

/** The sums of neighbours: a0 + a1, a2 + a3, b0 + b1, b2 + b3. */
// @ts-ignore: decorator
@inline
function pairs(a: v128, b: v128): v128 {
  return i32x4.add(
    v128.shuffle<i32>(a, b, 0, 2, 4, 6),
    v128.shuffle<i32>(a, b, 1, 3, 5, 7),
  );
}
