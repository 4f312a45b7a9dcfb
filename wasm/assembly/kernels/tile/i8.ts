// The innermost loops of int8: tiles of a matrix product A · B, whose sums stay in registers.
//
// A is [rows][4 · groups], its rows `stride` bytes apart; B is a panel, eight columns of a matrix in
// groups of four numbers of k: [groups][8][4]. All sums are exact, so every kernel gives the same bits.

import { hasOneInstructionDot } from "./dot";

/** Which side is signed, -128 to 127; the other one is 0 to 127, as relaxed SIMD wants it. */
export const enum Signed {
  A,
  B,
}

/**
 * out = A · B + starts.
 *
 * @param a 8-bit [rows][4 · groups], `stride` bytes apart; up to five rows are read past the last
 * @param b 8-bit [groups][8][4]
 * @param starts i32 [rows]; up to five are read past the last
 * @param out i32 [rows][8], `outStride` bytes apart; up to five rows are written past the last
 */
export function multiplyI8(
  signed: Signed,
  a: usize,
  stride: usize,
  rows: i32,
  b: usize,
  groups: i32,
  starts: usize,
  out: usize,
  outStride: usize,
): void {
  // Only products of weights are worth a second kernel.
  const isSingle = hasOneInstructionDot && signed == Signed.A;
  const step = ASC_FEATURE_RELAXED_SIMD ? isSingle ? 6 : 5 : 3;
  for (let row = 0; row < rows; row += step) {
    if (!ASC_FEATURE_RELAXED_SIMD) wideTile(a, stride, b, groups, starts, out, outStride);
    else if (isSingle) dotTile(a, stride, b, groups, starts, out, outStride);
    else if (signed == Signed.A) pairTileA(a, stride, b, groups, starts, out, outStride);
    else pairTileB(a, stride, b, groups, starts, out, outStride);
    a += step * stride;
    starts += 4 * step;
    out += step * outStride;
  }
}

/** out [6][8] = A [6][4 · groups] · B + starts [6], for processors with one instruction for a dot product. */
function dotTile(
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
  let sum4 = v128.load32_splat(starts, 16), more4 = sum4;
  let sum5 = v128.load32_splat(starts, 20), more5 = sum5;
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  const row4 = 4 * stride;
  const row5 = 5 * stride;
  for (const end = b + 32 * groups; b < end; a += 4, b += 32) {
    const left = v128.load(b), right = v128.load(b, 16);
    let x = v128.load32_splat(a);
    sum0 = dot(x, left, sum0);
    more0 = dot(x, right, more0);
    x = v128.load32_splat(a + row1);
    sum1 = dot(x, left, sum1);
    more1 = dot(x, right, more1);
    x = v128.load32_splat(a + row2);
    sum2 = dot(x, left, sum2);
    more2 = dot(x, right, more2);
    x = v128.load32_splat(a + row3);
    sum3 = dot(x, left, sum3);
    more3 = dot(x, right, more3);
    x = v128.load32_splat(a + row4);
    sum4 = dot(x, left, sum4);
    more4 = dot(x, right, more4);
    x = v128.load32_splat(a + row5);
    sum5 = dot(x, left, sum5);
    more5 = dot(x, right, more5);
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
  v128.store(out, sum5);
  v128.store(out, more5, 16);
}

/** sumᵢ + Σⱼ aᵢⱼ bᵢⱼ of four sums, with four 8-bit numbers of a and b each; a is signed. */
// @ts-ignore: decorator
@inline
function dot(a: v128, b: v128, sum: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return sum;
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sum);
}

/** Five rows by `relaxed_dot`, with a signed A. */
function pairTileA(
  a: usize,
  stride: usize,
  b: usize,
  groups: i32,
  starts: usize,
  out: usize,
  outStride: usize,
): void {
  pairTile(Signed.A, a, stride, b, groups, starts, out, outStride);
}

/** Five rows by `relaxed_dot`, with a signed B. */
function pairTileB(
  a: usize,
  stride: usize,
  b: usize,
  groups: i32,
  starts: usize,
  out: usize,
  outStride: usize,
): void {
  pairTile(Signed.B, a, stride, b, groups, starts, out, outStride);
}

/** out [5][8] = A [5][4 · groups] · B + starts [5], for processors without; five rows leave a register for the ones. */
// @ts-ignore: decorator
@inline
function pairTile(
  signed: Signed,
  a: usize,
  stride: usize,
  b: usize,
  groups: i32,
  starts: usize,
  out: usize,
  outStride: usize,
): void {
  const ones = i16x8.splat(1);
  let sum0 = v128.load32_splat(starts), more0 = sum0;
  let sum1 = v128.load32_splat(starts, 4), more1 = sum1;
  let sum2 = v128.load32_splat(starts, 8), more2 = sum2;
  let sum3 = v128.load32_splat(starts, 12), more3 = sum3;
  let sum4 = v128.load32_splat(starts, 16), more4 = sum4;
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  const row4 = 4 * stride;
  for (const end = b + 32 * groups; b < end; a += 4, b += 32) {
    const left = v128.load(b), right = v128.load(b, 16);
    let x = v128.load32_splat(a);
    sum0 = dotOfPairs(signed, x, left, sum0, ones);
    more0 = dotOfPairs(signed, x, right, more0, ones);
    x = v128.load32_splat(a + row1);
    sum1 = dotOfPairs(signed, x, left, sum1, ones);
    more1 = dotOfPairs(signed, x, right, more1, ones);
    x = v128.load32_splat(a + row2);
    sum2 = dotOfPairs(signed, x, left, sum2, ones);
    more2 = dotOfPairs(signed, x, right, more2, ones);
    x = v128.load32_splat(a + row3);
    sum3 = dotOfPairs(signed, x, left, sum3, ones);
    more3 = dotOfPairs(signed, x, right, more3, ones);
    x = v128.load32_splat(a + row4);
    sum4 = dotOfPairs(signed, x, left, sum4, ones);
    more4 = dotOfPairs(signed, x, right, more4, ones);
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

/** The same in three instructions: 16-bit sums of two, which times one are added up in pairs. */
// @ts-ignore: decorator
@inline
function dotOfPairs(signed: Signed, a: v128, b: v128, sum: v128, ones: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return sum;
  const twos = signed == Signed.A
    ? i16x8.relaxed_dot_i8x16_i7x16_s(a, b)
    : i16x8.relaxed_dot_i8x16_i7x16_s(b, a);
  return i32x4.add(i32x4.dot_i16x8_s(twos, ones), sum);
}

/**
 * out [3][8] = A [3][4 · groups] · B + starts [3], without relaxed SIMD: numbers are widened to 16 bits. A
 * number from 0 to 127 may be taken as signed, so either side may be the signed one. Each sum comes as
 * two halves, of the first and of the last two numbers of the groups, which are added at the end.
 */
function wideTile(
  a: usize,
  stride: usize,
  b: usize,
  groups: i32,
  starts: usize,
  out: usize,
  outStride: usize,
): void {
  const zero = i32x4.splat(0);
  const row2 = 2 * stride;
  let sum0 = zero, sum1 = zero, sum2 = zero, sum3 = zero;
  let next0 = zero, next1 = zero, next2 = zero, next3 = zero;
  let last0 = zero, last1 = zero, last2 = zero, last3 = zero;
  for (const end = b + 32 * groups; b < end; a += 4, b += 32) {
    // four numbers, twice
    const x = i16x8.extend_low_i8x16_s(v128.load32_splat(a));
    const y = i16x8.extend_low_i8x16_s(v128.load32_splat(a + stride));
    const z = i16x8.extend_low_i8x16_s(v128.load32_splat(a + row2));
    let columns = v128.load8x8_s(b);
    sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(x, columns));
    next0 = i32x4.add(next0, i32x4.dot_i16x8_s(y, columns));
    last0 = i32x4.add(last0, i32x4.dot_i16x8_s(z, columns));
    columns = v128.load8x8_s(b + 8);
    sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(x, columns));
    next1 = i32x4.add(next1, i32x4.dot_i16x8_s(y, columns));
    last1 = i32x4.add(last1, i32x4.dot_i16x8_s(z, columns));
    columns = v128.load8x8_s(b + 16);
    sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(x, columns));
    next2 = i32x4.add(next2, i32x4.dot_i16x8_s(y, columns));
    last2 = i32x4.add(last2, i32x4.dot_i16x8_s(z, columns));
    columns = v128.load8x8_s(b + 24);
    sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(x, columns));
    next3 = i32x4.add(next3, i32x4.dot_i16x8_s(y, columns));
    last3 = i32x4.add(last3, i32x4.dot_i16x8_s(z, columns));
  }
  let start = v128.load32_splat(starts);
  v128.store(out, i32x4.add(start, pairs(sum0, sum1)));
  v128.store(out, i32x4.add(start, pairs(sum2, sum3)), 16);
  out += outStride;
  start = v128.load32_splat(starts, 4);
  v128.store(out, i32x4.add(start, pairs(next0, next1)));
  v128.store(out, i32x4.add(start, pairs(next2, next3)), 16);
  out += outStride;
  start = v128.load32_splat(starts, 8);
  v128.store(out, i32x4.add(start, pairs(last0, last1)));
  v128.store(out, i32x4.add(start, pairs(last2, last3)), 16);
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
