// Dot products of float16 rows with float32 queries. Multiplications and additions are separate, so that a
// similarity has the same bits on every processor, and for a query the same ones alone and among others.

import { even, MASK, odd } from "./halves";

const BYTES: usize = 16;

// @ts-ignore: decorator
@inline
function sumOf(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2)) +
    (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3));
}

/**
 * The dot products of one query with two rows. Each addition waits for the one before; those of the other row
 * fill the time.
 */
// @ts-ignore: decorator
@inline
function scanTwo(x: usize, y: usize, row: usize, query: usize, scoreX: usize, scoreY: usize): void {
  const mask = i32x4.splat(MASK);
  let a = f32x4.splat(0), b = f32x4.splat(0);
  for (const last = x + row; x < last; x += BYTES, y += BYTES, query += 2 * BYTES) {
    const halvesX = v128.load(x);
    const halvesY = v128.load(y);
    const low = v128.load(query);
    const high = v128.load(query, 16);
    a = f32x4.add(a, f32x4.mul(even(halvesX, mask), low));
    b = f32x4.add(b, f32x4.mul(even(halvesY, mask), low));
    a = f32x4.add(a, f32x4.mul(odd(halvesX, mask), high));
    b = f32x4.add(b, f32x4.mul(odd(halvesY, mask), high));
  }
  store<f32>(scoreX, sumOf(a));
  store<f32>(scoreY, sumOf(b));
}

/**
 * The dot products of one query with rows. Those of the first half are computed beside those of the second one:
 * the processor reads two distant rows ahead, but not two that follow one another.
 *
 * @param rows f16 [count, 8 · vectors], all finite
 * @param query f32 [vectors, 2, 4]: of each eight numbers the even ones, then the odd ones, times 2¹¹²
 * @param scores f32 [count]
 */
export function scan(rows: usize, count: i32, vectors: i32, query: usize, scores: usize): void {
  const row: usize = BYTES * vectors;
  const half: usize = (count + 1) >> 1;
  const rest: usize = count - half; // one fewer, if the count is odd: then the middle row is computed twice
  for (const end = rows + row * half; rows < end; rows += row, scores += 4) {
    scanTwo(rows, rows + row * rest, row, query, scores, scores + 4 * rest);
  }
}

/**
 * The dot products of one query with some of the rows, of the same bits as those of `scan`.
 *
 * @param rows f16 [·, 8 · vectors], all finite
 * @param numbers u32 [count]: which rows
 * @param query f32 [vectors, 2, 4], as for `scan`
 * @param scores f32 [count]
 */
export function scanSome(
  rows: usize,
  numbers: usize,
  count: i32,
  vectors: i32,
  query: usize,
  scores: usize,
): void {
  const row: usize = BYTES * vectors;
  for (let i = 0; i < count; i += 2, numbers += 8, scores += 8) {
    const other: usize = i + 1 < count ? 4 : 0;
    const x = rows + row * load<u32>(numbers);
    const y = rows + row * load<u32>(numbers + other);
    scanTwo(x, y, row, query, scores, scores + other);
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
  const row: usize = BYTES * vectors;
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
