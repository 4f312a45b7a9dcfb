// What the two builds differ in. The relaxed one uses fused multiply-add and the 8-bit dot product of
// relaxed SIMD, whose rounding may depend on the processor; the plain one gives the same bits everywhere.

/** Rows of a tile: as many as leave their sums in registers, with what multiplying takes besides. */
export const TILE_ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** Columns of a tile, and of a panel of weights: two vectors. */
export const PANEL: i32 = 8;

/** a · b + c */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The sum of four numbers. */
// @ts-ignore: decorator
@inline
export function sumOf(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2)) +
    (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3));
}

/**
 * Four times a number in memory. In a loop with more constants than registers this is faster than
 * `f32x4.splat`, which takes three instructions.
 */
// @ts-ignore: decorator
@inline
export function constant(place: usize): v128 {
  return v128.load32_splat(place);
}
