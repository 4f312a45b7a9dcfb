// The innermost loops of int8 on processors without an instruction for a dot product of four numbers: products
// are added up in pairs of 16 bits, which are then widened.

/**
 * Four products of a signed number and one of 0 to 127 fit in 16 bits if neither the positive nor the negative
 * numbers add up to more than this.
 */
export const LARGEST_QUAD: i32 = 32767 / 127;

/**
 * out [4][8] = A [4][4 · groups] · B + starts [4], where A is signed: four products are added up before they are
 * widened. For that, any four numbers of A that belong together must not be larger than `LARGEST_QUAD` says.
 */
export function quadTile(
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
  const row1 = stride;
  const row2 = 2 * stride;
  const row3 = 3 * stride;
  for (const end = b + 32 * (groups & -2); b < end; a += 8, b += 64) {
    const left = v128.load(b), right = v128.load(b, 16);
    const nextLeft = v128.load(b, 32), nextRight = v128.load(b, 48);
    let x = v128.load32_splat(a), y = v128.load32_splat(a, 4);
    sum0 = dotOfQuads(x, left, y, nextLeft, sum0, ones);
    more0 = dotOfQuads(x, right, y, nextRight, more0, ones);
    x = v128.load32_splat(a + row1), y = v128.load32_splat(a + row1, 4);
    sum1 = dotOfQuads(x, left, y, nextLeft, sum1, ones);
    more1 = dotOfQuads(x, right, y, nextRight, more1, ones);
    x = v128.load32_splat(a + row2), y = v128.load32_splat(a + row2, 4);
    sum2 = dotOfQuads(x, left, y, nextLeft, sum2, ones);
    more2 = dotOfQuads(x, right, y, nextRight, more2, ones);
    x = v128.load32_splat(a + row3), y = v128.load32_splat(a + row3, 4);
    sum3 = dotOfQuads(x, left, y, nextLeft, sum3, ones);
    more3 = dotOfQuads(x, right, y, nextRight, more3, ones);
  }
  if (groups & 1) {
    const left = v128.load(b), right = v128.load(b, 16);
    let x = v128.load32_splat(a);
    sum0 = dotOfPairs(x, left, sum0, ones);
    more0 = dotOfPairs(x, right, more0, ones);
    x = v128.load32_splat(a + row1);
    sum1 = dotOfPairs(x, left, sum1, ones);
    more1 = dotOfPairs(x, right, more1, ones);
    x = v128.load32_splat(a + row2);
    sum2 = dotOfPairs(x, left, sum2, ones);
    more2 = dotOfPairs(x, right, more2, ones);
    x = v128.load32_splat(a + row3);
    sum3 = dotOfPairs(x, left, sum3, ones);
    more3 = dotOfPairs(x, right, more3, ones);
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

/** out [5][8] = A [5][4 · groups] · B + starts [5], where B is signed; five rows leave a register for the ones. */
export function pairTile(
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
    sum0 = dotOfPairs(left, x, sum0, ones);
    more0 = dotOfPairs(right, x, more0, ones);
    x = v128.load32_splat(a + row1);
    sum1 = dotOfPairs(left, x, sum1, ones);
    more1 = dotOfPairs(right, x, more1, ones);
    x = v128.load32_splat(a + row2);
    sum2 = dotOfPairs(left, x, sum2, ones);
    more2 = dotOfPairs(right, x, more2, ones);
    x = v128.load32_splat(a + row3);
    sum3 = dotOfPairs(left, x, sum3, ones);
    more3 = dotOfPairs(right, x, more3, ones);
    x = v128.load32_splat(a + row4);
    sum4 = dotOfPairs(left, x, sum4, ones);
    more4 = dotOfPairs(right, x, more4, ones);
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

/** sumᵢ + Σⱼ aᵢⱼ bᵢⱼ of four sums, with eight numbers of a and b each; a is signed. */
// @ts-ignore: decorator
@inline
function dotOfQuads(a: v128, b: v128, nextA: v128, nextB: v128, sum: v128, ones: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return sum;
  const twos = i16x8.relaxed_dot_i8x16_i7x16_s(a, b);
  const fours = i16x8.add(twos, i16x8.relaxed_dot_i8x16_i7x16_s(nextA, nextB));
  return i32x4.add(sum, i32x4.dot_i16x8_s(fours, ones));
}

/** The same with four numbers each: sums of two, which times one are added up in pairs. */
// @ts-ignore: decorator
@inline
function dotOfPairs(a: v128, b: v128, sum: v128, ones: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return sum;
  return i32x4.add(i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a, b), ones), sum);
}
