// Dot products of float16 rows with float32 queries, in WebAssembly SIMD (AssemblyScript). Multiplications
// and additions are separate, so that a similarity has the same bits on every processor, and for a query
// the same ones alone and among others.
//
// Shifted right by 3, a float16 in the upper half of 32 bits has its exponent and mantissa where a float32
// has them: the bits are those of a number 2¹¹² times too small, as the biases are 127 and 15. The queries
// are that much larger instead.

const BYTES: usize = 16;
/** The sign, and the exponent and mantissa of a float16 behind the shift. */
const MASK: i32 = 0x8fffe000;
/** Multiplies a hash: from xxHash. */
const PRIME: i32 = 0x9e3779b1;

/** The numbers 0, 2, 4 and 6 of eight. */
// @ts-ignore: decorator
@inline
function even(halves: v128, mask: v128): v128 {
  return v128.and(i32x4.shr_s(i32x4.shl(halves, 16), 3), mask);
}

/** The numbers 1, 3, 5 and 7 of eight. */
// @ts-ignore: decorator
@inline
function odd(halves: v128, mask: v128): v128 {
  return v128.and(i32x4.shr_s(halves, 3), mask);
}

// @ts-ignore: decorator
@inline
function sumOf(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2)) +
    (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3));
}

/**
 * The dot products of one query with rows.
 *
 * @param rows f16 [count, 8 · vectors], all finite
 * @param query f32 [vectors, 2, 4]: of each eight numbers the even ones, then the odd ones, times 2¹¹²
 * @param scores f32 [count]
 */
export function scan(rows: usize, count: i32, vectors: i32, query: usize, scores: usize): void {
  const row = BYTES * vectors;
  const mask = i32x4.splat(MASK);
  for (const end = rows + row * count; rows < end; scores += 4) {
    let sum = f32x4.splat(0);
    for (let q = query, last = query + 2 * row; q < last; q += 2 * BYTES, rows += BYTES) {
      const halves = v128.load(rows);
      sum = f32x4.add(sum, f32x4.mul(even(halves, mask), v128.load(q)));
      sum = f32x4.add(sum, f32x4.mul(odd(halves, mask), v128.load(q, 16)));
    }
    store<f32>(scores, sumOf(sum));
  }
}

/**
 * The dot products of four queries with rows: each row is widened once.
 *
 * @param queries f32 [4, vectors, 2, 4], each as for `scan`
 * @param scores f32 [4, stride / 4]: `stride` bytes from one query's to the next one's
 */
export function scanFour(
  rows: usize,
  count: i32,
  vectors: i32,
  queries: usize,
  scores: usize,
  stride: usize,
): void {
  const row = BYTES * vectors;
  const mask = i32x4.splat(MASK);
  const size = 2 * row;
  for (const end = rows + row * count; rows < end; rows += row, scores += 4) {
    let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
    let from = rows;
    for (let q = queries, last = queries + size; q < last; q += 2 * BYTES, from += BYTES) {
      const halves = v128.load(from);
      const low = even(halves, mask);
      const high = odd(halves, mask);
      a = f32x4.add(f32x4.add(a, f32x4.mul(low, v128.load(q))), f32x4.mul(high, v128.load(q, 16)));
      const q1 = q + size;
      b = f32x4.add(f32x4.add(b, f32x4.mul(low, v128.load(q1))), f32x4.mul(high, v128.load(q1, 16)));
      const q2 = q1 + size;
      c = f32x4.add(f32x4.add(c, f32x4.mul(low, v128.load(q2))), f32x4.mul(high, v128.load(q2, 16)));
      const q3 = q2 + size;
      d = f32x4.add(f32x4.add(d, f32x4.mul(low, v128.load(q3))), f32x4.mul(high, v128.load(q3, 16)));
    }
    store<f32>(scores, sumOf(a));
    store<f32>(scores + stride, sumOf(b));
    store<f32>(scores + 2 * stride, sumOf(c));
    store<f32>(scores + 3 * stride, sumOf(d));
  }
}

/**
 * The sum, modulo 2³², of a hash of each row and its number: rows can be added to it later.
 *
 * @param rows [count, vectors] of 16 bytes
 * @param first the number of the first row
 */
export function checksum(rows: usize, count: i32, vectors: i32, first: i32): i32 {
  const prime = i32x4.splat(PRIME);
  let sum = 0;
  for (let r = 0; r < count; r++) {
    // Two chains, as a product takes long.
    let a = i32x4.splat(first + r);
    let b = i32x4.splat(vectors);
    let v = 0;
    for (; v + 2 <= vectors; v += 2, rows += 2 * BYTES) {
      a = i32x4.add(i32x4.mul(a, prime), v128.load(rows));
      b = i32x4.add(i32x4.mul(b, prime), v128.load(rows, 16));
    }
    for (; v < vectors; v++, rows += BYTES) a = i32x4.add(i32x4.mul(a, prime), v128.load(rows));
    const both = i32x4.add(i32x4.mul(a, prime), b);
    let hash = i32x4.extract_lane(both, 0);
    hash = hash * PRIME + i32x4.extract_lane(both, 1);
    hash = hash * PRIME + i32x4.extract_lane(both, 2);
    hash = hash * PRIME + i32x4.extract_lane(both, 3);
    hash ^= hash >>> 15;
    sum += hash * PRIME;
  }
  return sum;
}
