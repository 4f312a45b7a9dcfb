// The two builds differ in this file and in the tiles. The relaxed build uses relaxed SIMD: fused
// multiply-add, whose rounding may depend on the processor, and an 8-bit dot product, whose sums are exact.
// The plain build gives the same bits on every processor. For models of int8 so does the relaxed one: what
// they need beside the 8-bit products is not fused.

/** Sizes that the kernels and the host agree on. */
export const enum Tile {
  /** Columns of a panel of the right matrix: two vectors of f32. */
  PANEL = 8,
  /** Rows that are multiplied and finished at a time: whole tiles of every kernel, few enough for the cache. */
  STRIP_ROWS = 60,
  /** Rows that a tile may read or write past the last one. */
  ROWS_PAST = 5,
}

/** a · b + c, fused where the build is relaxed. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return exactMadd(a, b, c);
}

/** a · b + c, the product rounded: the same bits in both builds. What models of int8 need is of these. */
// @ts-ignore: decorator
@inline
export function exactMadd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * 1.5 · 2²³: its sum with a number below 2²² is rounded to an integer, ties to even, which is in the lowest
 * bits of the sum.
 */
// @ts-ignore: decorator
@inline
export const ROUNDER: f32 = 12582912;

/** Rounds four numbers below 2²² to integers, ties to even; of others the result is arbitrary. */
// @ts-ignore: decorator
@inline
export function roundFour(x: v128, rounder: v128): v128 {
  return i32x4.sub(f32x4.add(x, rounder), rounder);
}

/** The sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumOf(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2)) +
    (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3));
}

/**
 * A number in memory, in all four lanes. Where a loop has more constants than registers, this is faster
 * than `f32x4.splat`, which takes three instructions.
 */
// @ts-ignore: decorator
@inline
export function constant(place: usize): v128 {
  return v128.load32_splat(place);
}

/** The first of four lanes of 32 bits, in all of them; the others alike. */
// @ts-ignore: decorator
@inline
export function lane0(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 0, 0, 0, 0);
}

// @ts-ignore: decorator
@inline
export function lane1(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 1, 1, 1, 1);
}

// @ts-ignore: decorator
@inline
export function lane2(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 2, 2, 2, 2);
}

// @ts-ignore: decorator
@inline
export function lane3(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 3, 3, 3, 3);
}
