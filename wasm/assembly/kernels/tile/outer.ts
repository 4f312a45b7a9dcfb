// The innermost loop of a weight's gradient: a sum of outer products, Aᵀ B, added to what is there.

import { lane0, lane1, lane2, lane3, madd } from "../simd";

/** Bytes of the memory in which {@linkcode accumulateOuter} computes a tile at an edge. */
export const SPARE_BYTES: i32 = 4 * 8 * 4;

/**
 * out += Aᵀ B, of one panel: out[i][j] += Σₖ A[k][i] · B[k][j]
 *
 * @param a f32 [k][m], `stride` bytes apart; up to three numbers are read past the end of a row
 * @param panel f32 [k][8]
 * @param columns the columns that are wanted, at most eight
 * @param out f32 [m][columns], `outStride` bytes apart
 * @param spare SPARE_BYTES bytes of scratch
 */
export function accumulateOuter(
  a: usize,
  stride: usize,
  m: i32,
  panel: usize,
  k: i32,
  columns: i32,
  out: usize,
  outStride: usize,
  spare: usize,
): void {
  for (let i = 0; i < m; i += 4, a += 16, out += 4 * outStride) {
    const rows = min(4, m - i);
    if (rows == 4 && columns == 8) {
      outerTile(a, stride, panel, k, out, outStride);
      continue;
    }
    memory.fill(spare, 0, SPARE_BYTES);
    outerTile(a, stride, panel, k, spare, 32);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const to = out + row * outStride + 4 * column;
        store<f32>(to, load<f32>(to) + load<f32>(spare + 32 * row + 4 * column));
      }
    }
  }
}

/** out [4][8] += A [k][4]ᵀ · B [k][8] */
function outerTile(a: usize, stride: usize, b: usize, k: i32, out: usize, outStride: usize): void {
  const row1 = out + outStride;
  const row2 = row1 + outStride;
  const row3 = row2 + outStride;
  // What is there is added last: it often has to come from far away.
  let sum0 = f32x4.splat(0), more0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0), more1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0), more2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0), more3 = f32x4.splat(0);
  const end = b + 32 * k;
  const pairs = b + 32 * (k & -2);
  for (; b < pairs; b += 64) {
    let left = v128.load(b), right = v128.load(b, 16);
    let four = v128.load(a);
    let x = lane0(four);
    sum0 = madd(x, left, sum0);
    more0 = madd(x, right, more0);
    x = lane1(four);
    sum1 = madd(x, left, sum1);
    more1 = madd(x, right, more1);
    x = lane2(four);
    sum2 = madd(x, left, sum2);
    more2 = madd(x, right, more2);
    x = lane3(four);
    sum3 = madd(x, left, sum3);
    more3 = madd(x, right, more3);
    a += stride;
    left = v128.load(b, 32), right = v128.load(b, 48);
    four = v128.load(a);
    x = lane0(four);
    sum0 = madd(x, left, sum0);
    more0 = madd(x, right, more0);
    x = lane1(four);
    sum1 = madd(x, left, sum1);
    more1 = madd(x, right, more1);
    x = lane2(four);
    sum2 = madd(x, left, sum2);
    more2 = madd(x, right, more2);
    x = lane3(four);
    sum3 = madd(x, left, sum3);
    more3 = madd(x, right, more3);
    a += stride;
  }
  if (b < end) {
    const left = v128.load(b), right = v128.load(b, 16);
    const four = v128.load(a);
    let x = lane0(four);
    sum0 = madd(x, left, sum0);
    more0 = madd(x, right, more0);
    x = lane1(four);
    sum1 = madd(x, left, sum1);
    more1 = madd(x, right, more1);
    x = lane2(four);
    sum2 = madd(x, left, sum2);
    more2 = madd(x, right, more2);
    x = lane3(four);
    sum3 = madd(x, left, sum3);
    more3 = madd(x, right, more3);
  }
  v128.store(out, f32x4.add(v128.load(out), sum0));
  v128.store(out, f32x4.add(v128.load(out, 16), more0), 16);
  v128.store(row1, f32x4.add(v128.load(row1), sum1));
  v128.store(row1, f32x4.add(v128.load(row1, 16), more1), 16);
  v128.store(row2, f32x4.add(v128.load(row2), sum2));
  v128.store(row2, f32x4.add(v128.load(row2, 16), more2), 16);
  v128.store(row3, f32x4.add(v128.load(row3), sum3));
  v128.store(row3, f32x4.add(v128.load(row3, 16), more3), 16);
}
