/**
 * Widens float16 to f32, exactly: ±2^(e-15) · 1.m → the same number.
 *
 * @param halves f16 [count], all finite
 * @param count a multiple of 4
 * @param out f32 [count]
 */
export function widenHalves(halves: usize, count: i32, out: usize): void {
  // Shifted left by 13, exponent and mantissa are those of an f32 that is 2¹¹² times too small, as the
  // biases are 127 and 15. Multiplying makes up for it, and normalises the subnormal ones.
  const power = f32x4.splat(reinterpret<f32>((112 + 127) << 23));
  for (const end = halves + 2 * count; halves < end; halves += 8, out += 16) {
    const half = v128.load16x4_u(halves);
    const magnitude = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
    const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
    v128.store(out, v128.or(f32x4.mul(magnitude, power), sign));
  }
}
