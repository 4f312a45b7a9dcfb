// The projection head of pre-training, fc1 · bn1 · GELU · fc2 · bn2 · GELU · fc3 on the CLS rows of a whole batch.
// Threads share its rows where a layer is applied, its columns where statistics or weights are of all rows.

import { activate, Activation } from "../kernels/activation";
import { activateBackward } from "../kernels/backward/activation";
import { batchNormBackward } from "../kernels/backward/batch_norm";
import { BatchNorm, batchNorm, batchStatistics } from "../kernels/batch_norm";
import { Scratch } from "../kernels/scratch";
import { Tile } from "../kernels/simd";
import { TrainedLinear } from "./plan";
import { applyLinear, inputGradient } from "./rows";

/** y = x Wᵀ + b, of rows `start` to `end` - 1. */
export function applyRows(
  layer: TrainedLinear,
  x: usize,
  stride: usize,
  start: i32,
  end: i32,
  y: usize,
  yStride: usize,
  scratch: Scratch,
): void {
  applyLinear(layer, x + start * stride, stride, end - start, y + start * yStride, yStride, scratch);
}

/** dx = dy W, of rows `start` to `end` - 1. */
export function inputGradientRows(
  layer: TrainedLinear,
  dy: usize,
  stride: usize,
  start: i32,
  end: i32,
  dx: usize,
  dxStride: usize,
  scratch: Scratch,
): void {
  inputGradient(layer, dy + start * stride, stride, end - start, false, dx + start * dxStride, dxStride, scratch);
}

/**
 * out = GELU(BatchNorm(x)), of columns `start` to `end` - 1, multiples of 8.
 *
 * @param norm 0 for none
 * @param x f32 [rows][features], `stride` bytes apart; `out` likewise
 * @param mean f32 [features], of the batch; `scale` likewise
 */
export function activateColumns(
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
  if (norm) batchStatistics(norm, x, stride, rows, start, end, mean, scale);
  normalizeColumns(norm, x, stride, rows, start, end, mean, scale, out);
  for (let row = 0; row < rows; row++) {
    activate(Activation.GELU, out + row * stride + 4 * start, (end - start) / Tile.PANEL, 32);
  }
}

/**
 * The backward of {@linkcode activateColumns}.
 *
 * @param out f32 [rows][features], which is overwritten
 * @param d f32 [rows][features], the gradients of the outputs; of the inputs afterwards
 */
export function activateColumnsBackward(
  norm: BatchNorm,
  x: usize,
  stride: usize,
  rows: i32,
  start: i32,
  end: i32,
  mean: usize,
  scale: usize,
  out: usize,
  d: usize,
): void {
  normalizeColumns(norm, x, stride, rows, start, end, mean, scale, out);
  for (let row = 0; row < rows; row++) {
    const at = row * stride + 4 * start;
    activateBackward(Activation.GELU, out + at, end - start, out + at, d + at);
  }
  if (norm) batchNormBackward(norm, x, stride, rows, start, end, mean, scale, d);
}

function normalizeColumns(
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
  if (norm) {
    batchNorm(norm, x, stride, rows, start, end, mean, scale, out);
    return;
  }
  for (let row = 0; row < rows; row++) {
    const at = row * stride + 4 * start;
    memory.copy(out + at, x + at, 4 * (end - start));
  }
}
