// The first pass of a search: which rows may have a dot product that reaches a bar. The numbers are integers,
// whose sums are exact, and the answer is the same on every processor.
//
// One query or four of them:
//
//     f32 scales [4], f32 lengths [4], f32 bars [4], i16 numbers [vectors, queries, 8]
//
// scale · numbers are close to a query, in the order of the codes. 127 times the sum of the numbers' sizes is
// below 2³¹.

import { HEADER } from "./encode";

/** The bytes before the numbers. */
const QUERY_HEADER: usize = 48;

/** The products of eight numbers, added in pairs. */
// @ts-ignore: decorator
@inline
function products(code: v128, numbers: usize): v128 {
  return i32x4.dot_i16x8_s(code, v128.load(numbers));
}

/** Bit q is set if the dot product of a row with query q may reach its bar. */
// @ts-ignore: decorator
@inline
function reached(sums: v128, code: usize, queries: usize): i32 {
  const scales = f32x4.mul(v128.load32_splat(code), v128.load(queries));
  const tolerances = f32x4.mul(v128.load32_splat(code, 4), v128.load(queries, 16));
  const bounds = f32x4.add(f32x4.mul(scales, f32x4.convert_i32x4_s(sums)), tolerances);
  return i32x4.bitmask(f32x4.ge(bounds, v128.load(queries, 32)));
}

/**
 * Lists the rows whose dot product with one query may reach its bar.
 *
 * @param codes [count] of what `encode` made
 * @param first the number of the first row
 * @param numbers u32 [count], written: the rows' numbers, in order
 * @returns how many they are.
 */
export function candidates(
  codes: usize,
  count: i32,
  vectors: i32,
  query: usize,
  first: i32,
  numbers: usize,
): i32 {
  const begin = numbers;
  const whole: usize = 8 * (vectors & -2);
  const isOdd = vectors & 1;
  for (const end = first + count; first < end; first++) {
    const code = codes;
    codes += HEADER;
    let a = i32x4.splat(0), b = i32x4.splat(0);
    let q = query + QUERY_HEADER;
    for (const last = codes + whole; codes < last; codes += 16, q += 32) {
      a = i32x4.add(a, products(v128.load8x8_s(codes), q));
      b = i32x4.add(b, products(v128.load8x8_s(codes, 8), q + 16));
    }
    if (isOdd) {
      a = i32x4.add(a, products(v128.load8x8_s(codes), q));
      codes += 8;
    }
    a = i32x4.add(a, b);
    const sum = i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1) +
      i32x4.extract_lane(a, 2) + i32x4.extract_lane(a, 3);
    if (reached(i32x4.splat(sum), code, query) & 1) {
      store<u32>(numbers, first);
      numbers += 4;
    }
  }
  return <i32> ((numbers - begin) >> 2);
}

/**
 * Lists the rows whose dot products with four queries may reach their bars: each code is widened once.
 *
 * @param numbers u32 [4, capacity], written: `candidates` of each query
 * @param counts i32 [4], written: how many they are
 */
export function candidatesFour(
  codes: usize,
  count: i32,
  vectors: i32,
  queries: usize,
  first: i32,
  numbers: usize,
  capacity: i32,
  counts: usize,
): void {
  const size: usize = 8 * vectors;
  v128.store(counts, i32x4.splat(0));
  for (const end = first + count; first < end; first++) {
    const code = codes;
    codes += HEADER;
    let a = i32x4.splat(0), b = i32x4.splat(0), c = i32x4.splat(0), d = i32x4.splat(0);
    let q = queries + QUERY_HEADER;
    for (const last = codes + size; codes < last; codes += 8, q += 64) {
      const numbers = v128.load8x8_s(codes);
      a = i32x4.add(a, products(numbers, q));
      b = i32x4.add(b, products(numbers, q + 16));
      c = i32x4.add(c, products(numbers, q + 32));
      d = i32x4.add(d, products(numbers, q + 48));
    }
    let found = reached(sumsOf(a, b, c, d), code, queries);
    while (found) {
      const query = ctz(found);
      const at = counts + 4 * query;
      const length = load<i32>(at);
      store<u32>(numbers + 4 * (query * capacity + length), first);
      store<i32>(at, length + 1);
      found &= found - 1;
    }
  }
}

/** The sum of each of four vectors. */
// @ts-ignore: decorator
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(
    i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
    i8x16.shuffle(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31),
  );
  const cd = i32x4.add(
    i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
    i8x16.shuffle(c, d, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31),
  );
  // ab: a0 + a1, b0 + b1, a2 + a3, b2 + b3
  return i32x4.add(
    i8x16.shuffle(ab, cd, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
    i8x16.shuffle(ab, cd, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31),
  );
}
