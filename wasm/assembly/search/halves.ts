// Shifted right by 3, a float16 in the upper half of 32 bits has its exponent and mantissa where a float32
// has them: the bits are those of a number 2¹¹² times too small, as the biases are 127 and 15. The queries
// are that much larger instead.

/** The sign, and the exponent and mantissa of a float16 behind the shift. */
export const MASK: i32 = 0x8fffe000;

/** The numbers 0, 2, 4 and 6 of eight. */
// @ts-ignore: decorator
@inline
export function even(halves: v128, mask: v128): v128 {
  return v128.and(i32x4.shr_s(i32x4.shl(halves, 16), 3), mask);
}

/** The numbers 1, 3, 5 and 7 of eight. */
// @ts-ignore: decorator
@inline
export function odd(halves: v128, mask: v128): v128 {
  return v128.and(i32x4.shr_s(halves, 3), mask);
}
