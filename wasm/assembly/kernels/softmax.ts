import { exp } from "./exp";
import { sumOf } from "./simd";

/**
 * The numerators and the denominator of softmax(scale · x), in place:
 * xᵢ ← e^(scale · (xᵢ - max x)), and the result is Σ xᵢ.
 *
 * @param x f32 [paddedCount], of which `count` numbers are given; the rest is overwritten
 * @param paddedCount a multiple of 8
 */
export function softmaxNumerators(x: usize, count: i32, paddedCount: i32, scale: f32): f32 {
  for (let i = count; i < paddedCount; i++) store<f32>(x + 4 * i, -Infinity);
  const end = x + 4 * paddedCount;
  const maxima = f32x4.splat(largestOf(x, end));
  const factor = f32x4.splat(scale);
  let left = f32x4.splat(0), right = f32x4.splat(0);
  for (let at = x; at < end; at += 32) {
    const a = exp(f32x4.mul(f32x4.sub(v128.load(at), maxima), factor));
    const b = exp(f32x4.mul(f32x4.sub(v128.load(at, 16), maxima), factor));
    v128.store(at, a);
    v128.store(at, b, 16);
    left = f32x4.add(left, a);
    right = f32x4.add(right, b);
  }
  return sumOf(f32x4.add(left, right));
}

/** max x, of numbers in eights from `x` to `end`. */
export function largestOf(x: usize, end: usize): f32 {
  let largest = f32x4.splat(-Infinity);
  for (; x < end; x += 32) {
    largest = f32x4.pmax(largest, f32x4.pmax(v128.load(x), v128.load(x, 16)));
  }
  return max(
    max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}
