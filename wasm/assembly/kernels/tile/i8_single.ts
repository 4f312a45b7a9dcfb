// The innermost loop of int8 on processors with one instruction for a dot product of four numbers.

/** out [6][8] = A [6][4 · groups] · B + starts [6], for processors with one instruction for a dot product. */
export function dotTile(
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
