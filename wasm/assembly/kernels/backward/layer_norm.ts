import { madd, sumOf } from "../simd";

/**
 * The backward of `layerNorm` for one row. With r = 1 / √(variance + ε), x̂ = (x - mean) r and
 * a = dy ⊙ weight:
 *
 *     dx += r (a - mean(a) - x̂ mean(a ⊙ x̂)),  dWeight += dy ⊙ x̂,  dBias += dy
 *
 * @param x f32 [width], the input of the forward
 * @param dy f32 [width]; it is overwritten
 * @param dx f32 [width], or 0 if it is not wanted
 * @param dWeight f32 [width], or 0; dBias likewise
 */
export function layerNormBackward(
  x: usize,
  weight: usize,
  dy: usize,
  width: i32,
  epsilon: f32,
  dx: usize,
  dWeight: usize,
  dBias: usize,
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
    squares = madd(distance, distance, squares);
  }
  let square = sumOf(squares);
  for (let i = whole; i < end; i += 4) {
    const distance = load<f32>(x + i) - mean;
    square += distance * distance;
  }
  const r: f32 = 1 / sqrt<f32>(square / <f32>width + epsilon);
  const rs = f32x4.splat(r);

  let aSums = f32x4.splat(0), axSums = f32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + i), means), rs);
    const d = v128.load(dy + i);
    if (dWeight) v128.store(dWeight + i, madd(d, normal, v128.load(dWeight + i)));
    if (dBias) v128.store(dBias + i, f32x4.add(v128.load(dBias + i), d));
    const a = f32x4.mul(d, v128.load(weight + i));
    v128.store(dy + i, a);
    aSums = f32x4.add(aSums, a);
    axSums = madd(a, normal, axSums);
  }
  let aSum = sumOf(aSums), axSum = sumOf(axSums);
  for (let i = whole; i < end; i += 4) {
    const normal = (load<f32>(x + i) - mean) * r;
    const d = load<f32>(dy + i);
    if (dWeight) store<f32>(dWeight + i, load<f32>(dWeight + i) + d * normal);
    if (dBias) store<f32>(dBias + i, load<f32>(dBias + i) + d);
    const a = d * load<f32>(weight + i);
    store<f32>(dy + i, a);
    aSum += a;
    axSum += a * normal;
  }
  if (!dx) return;
  const aMean = aSum / <f32>width, axMean = axSum / <f32>width;
  const aMeans = f32x4.splat(aMean), axMeans = f32x4.splat(axMean);
  for (let i: usize = 0; i < whole; i += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + i), means), rs);
    const d = f32x4.sub(f32x4.sub(v128.load(dy + i), aMeans), f32x4.mul(normal, axMeans));
    v128.store(dx + i, madd(d, rs, v128.load(dx + i)));
  }
  for (let i = whole; i < end; i += 4) {
    const normal = (load<f32>(x + i) - mean) * r;
    store<f32>(dx + i, load<f32>(dx + i) + r * (load<f32>(dy + i) - aMean - normal * axMean));
  }
}
