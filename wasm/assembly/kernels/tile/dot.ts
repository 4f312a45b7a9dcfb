// Which 8-bit dot product is fastest, by what the processor makes of it.

/** How the relaxed build multiplies 8-bit numbers; all give the same sums. */
export const enum Dot {
  /** What the processor does best. */
  AUTO,
  /** `relaxed_dot_add`: one instruction on processors with AVX-VNNI or Arm's dot product. */
  SINGLE,
  /** `relaxed_dot`, then pairs of its sums: elsewhere, where `relaxed_dot_add` takes five. */
  PAIRWISE,
}

/** The host's choice, a `Dot`. */
// @ts-ignore: decorator
@external("env", "dot")
declare const chosen: i32;

/** Whether `multiplyI8` takes `relaxed_dot_add`. */
export const hasOneInstructionDot: bool = ASC_FEATURE_RELAXED_SIMD &&
  (chosen == Dot.SINGLE || (chosen == Dot.AUTO && !dotSaturates()));

/**
 * Whether `relaxed_dot_add` adds up pairs in 16 bits, which saturate: then it is pmaddubsw and four
 * instructions more. Numbers of more than seven bits tell: 127 · 255 · 4 is 129540 in 32 bits, and -508
 * where both sides are signed, but 65534 in pairs. Sums of seven-bit numbers never saturate.
 */
function dotSaturates(): bool {
  if (!ASC_FEATURE_RELAXED_SIMD) return false;
  const sums = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0));
  return i32x4.extract_lane(sums, 0) == 2 * 32767;
}

/** Which side of an 8-bit product is signed, -128 to 127; the other one is 0 to 127, as relaxed SIMD wants it. */
export const enum Signed {
  A,
  B,
}
