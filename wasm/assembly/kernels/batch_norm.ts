import { madd } from "./simd";

/** BatchNorm1d in training, whose statistics are the batch's own; f32 [features] each. */
@unmanaged
export class BatchNorm {
  weight: usize;
  bias: usize;
  /** Gradients are added. */
  dWeight: usize;
  dBias: usize;
  /** What PyTorch calls buffers: nothing here reads them. */
  runningMean: usize;
  runningVariance: usize;
  epsilon: f32;
  /** The share of the batch in the running statistics. */
  momentum: f32;
}

/**
 * The mean and 1 / √(variance + ε) of columns of a batch, with the biased variance; running statistics move
 * towards mean and unbiased variance.
 *
 * @param x f32 [rows][features], `stride` bytes apart
 * @param rows at least 2
 * @param start the first column; `end`, like it, is a multiple of 4
 * @param mean f32 [features]; `scale` likewise
 */
export function batchStatistics(
  norm: BatchNorm,
  x: usize,
  stride: usize,
  rows: i32,
  start: i32,
  end: i32,
  mean: usize,
  scale: usize,
): void {
  const count = f32x4.splat(<f32>rows);
  const unbiased = f32x4.splat(<f32>rows / <f32>(rows - 1));
  const last = <usize>rows * stride;
  for (let at: usize = 4 * start; at < 4 * <usize>end; at += 16) {
    let sums = f32x4.splat(0);
    for (let row: usize = 0; row < last; row += stride) sums = f32x4.add(sums, v128.load(x + row + at));
    const means = f32x4.div(sums, count);
    let squares = f32x4.splat(0);
    for (let row: usize = 0; row < last; row += stride) {
      const distance = f32x4.sub(v128.load(x + row + at), means);
      squares = madd(distance, distance, squares);
    }
    const variances = f32x4.div(squares, count);
    v128.store(mean + at, means);
    const deviations = f32x4.sqrt(f32x4.add(variances, f32x4.splat(norm.epsilon)));
    v128.store(scale + at, f32x4.div(f32x4.splat(1), deviations));
    move(norm.runningMean + at, means, norm.momentum);
    move(norm.runningVariance + at, f32x4.mul(variances, unbiased), norm.momentum);
  }
}

/** running = (1 - momentum) running + momentum new */
function move(running: usize, now: v128, momentum: f32): void {
  const kept = f32x4.mul(v128.load(running), f32x4.splat(1 - momentum));
  v128.store(running, madd(now, f32x4.splat(momentum), kept));
}

/**
 * out = weight (x - mean) scale + bias, for columns of a batch.
 *
 * @param x f32 [rows][features], `stride` bytes apart; `out` likewise
 * @param mean of {@linkcode batchStatistics}; `scale` likewise
 */
export function batchNorm(
  norm: BatchNorm,
  x: usize,
  stride: usize,
  rows: i32,
  start: i32,
  end: i32,
  mean: usize,
  scale: usize,
  out: usize,
): void {
  const last = <usize>rows * stride;
  for (let at: usize = 4 * start; at < 4 * <usize>end; at += 16) {
    const means = v128.load(mean + at);
    const factor = f32x4.mul(v128.load(scale + at), v128.load(norm.weight + at));
    const bias = v128.load(norm.bias + at);
    for (let row = at; row < last + at; row += stride) {
      v128.store(out + row, madd(f32x4.sub(v128.load(x + row), means), factor, bias));
    }
  }
}
