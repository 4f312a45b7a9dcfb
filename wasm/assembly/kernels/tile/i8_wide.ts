// The innermost loop of int8 without relaxed SIMD.

/**
 * out [3][8] = A [3][4 · groups] · B + starts [3], without relaxed SIMD: numbers are widened to 16 bits. A
 * number from 0 to 127 may be taken as signed, so either side may be the signed one. Each sum comes as
 * two halves, of the first and of the last two numbers of the groups, which are added at the end.
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
