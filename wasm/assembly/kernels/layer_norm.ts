import { exactMadd, sumOf } from "./simd";

/**
 * LayerNorm of one row: out = (x - mean) / √(variance + ε) · weight + bias, with the mean and the
 * variance (of the population) of the row.
 *
 * @param x f32 [width]
 * @param weight f32 [width]
 * @param bias f32 [width]
 * @param out f32 [width], may be `x`
 */
export function layerNorm(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  width: i32,
  epsilon: f32,
): void {
  const whole: usize = 4 * (width & -4);
  const end: usize = 4 * width;
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) sums = f32x4.add(sums, v128.load(x + i));
  let sum = sumOf(sums);
  for (let i = whole; i < end; i += 4) sum += load<f32>(x + i);
  const mean = sum / <f32>width;
  const means = f32x4.splat(mean);
  let squares = f32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    const distance = f32x4.sub(v128.load(x + i), means);
    squares = exactMadd(distance, distance, squares);
  }
  let square = sumOf(squares);
  for (let i = whole; i < end; i += 4) {
    const distance = load<f32>(x + i) - mean;
    square += distance * distance;
  }
  const factor: f32 = 1 / sqrt<f32>(square / <f32>width + epsilon);
  const factors = f32x4.splat(factor);
  for (let i: usize = 0; i < whole; i += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + i), means), factors);
    v128.store(out + i, exactMadd(normal, v128.load(weight + i), v128.load(bias + i)));
  }
  for (let i = whole; i < end; i += 4) {
    const normal = (load<f32>(x + i) - mean) * factor;
    store<f32>(out + i, normal * load<f32>(weight + i) + load<f32>(bias + i));
  }
}
