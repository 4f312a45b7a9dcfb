import { BatchNorm } from "../batch_norm";
import { madd } from "../simd";

/**
 * The backward of `batchNorm` for columns of a batch of n rows. With x̂ = (x - mean) scale:
 *
 *     dx = weight scale (dy - Σ dy / n - x̂ Σ (dy ⊙ x̂) / n),  dWeight += Σ dy ⊙ x̂,  dBias += Σ dy
 *
 * @param x f32 [rows][features], the input of the forward, `stride` bytes apart
 * @param mean of `batchStatistics`; `scale` likewise
 * @param d f32 [rows][features], dy before and dx afterwards
 */
export function batchNormBackward(
  norm: BatchNorm,
  x: usize,
  stride: usize,
  rows: i32,
  start: i32,
  end: i32,
  mean: usize,
  scale: usize,
  d: usize,
): void {
  const last = <usize>rows * stride;
  const share = f32x4.splat(1 / <f32>rows);
  for (let at: usize = 4 * start; at < 4 * <usize>end; at += 16) {
    const means = v128.load(mean + at);
    const scales = v128.load(scale + at);
    let sums = f32x4.splat(0), products = f32x4.splat(0);
    for (let row = at; row < last + at; row += stride) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + row), means), scales);
      const dy = v128.load(d + row);
      sums = f32x4.add(sums, dy);
      products = madd(dy, normal, products);
    }
    v128.store(norm.dWeight + at, f32x4.add(v128.load(norm.dWeight + at), products));
    v128.store(norm.dBias + at, f32x4.add(v128.load(norm.dBias + at), sums));
    const factor = f32x4.mul(v128.load(norm.weight + at), scales);
    sums = f32x4.mul(sums, share);
    products = f32x4.mul(products, share);
    for (let row = at; row < last + at; row += stride) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + row), means), scales);
      const rest = f32x4.sub(f32x4.sub(v128.load(d + row), sums), f32x4.mul(normal, products));
      v128.store(d + row, f32x4.mul(factor, rest));
    }
  }
}
