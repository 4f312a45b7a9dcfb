/**
 * Adds up the threads' gradients in the order of the threads: g₀ = ((g₀ + g₁) + g₂) + …
 *
 * @param gradients f32 [threads][…], `stride` bytes apart; the sum goes to the first
 * @param count a multiple of 4
 * @returns the sum of squares
 */
export function reduceGradients(gradients: usize, stride: usize, threads: i32, count: i32): f64 {
  const end = gradients + 4 * count;
  let squares = f64x2.splat(0);
  for (; gradients < end; gradients += 16) {
    let sum = v128.load(gradients);
    let other = gradients;
    for (let thread = 1; thread < threads; thread++) {
      other += stride;
      sum = f32x4.add(sum, v128.load(other));
    }
    v128.store(gradients, sum);
    const low = f64x2.promote_low_f32x4(sum);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(sum, sum, 1, 0));
    squares = f64x2.add(squares, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  return f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
}
