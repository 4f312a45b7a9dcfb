import { packColumns } from "../kernels/panels";
import { product } from "../kernels/product";
import { Scratch } from "../kernels/scratch";
import { Tile } from "../kernels/simd";
import { accumulateOuter } from "../kernels/tile/outer";
import { GradientScratch, TrainedLinear } from "./plan";

/** y = x Wᵀ + b */
export function applyLinear(
  layer: TrainedLinear,
  x: usize,
  stride: usize,
  rows: i32,
  y: usize,
  yStride: usize,
  scratch: Scratch,
): void {
  product(x, stride, rows, layer.forward, layer.inputs, padded(layer.outputs), layer.bias, false, y, yStride, scratch);
}

/** dx = dy W, or dx += dy W */
export function inputGradient(
  layer: TrainedLinear,
  dy: usize,
  stride: usize,
  rows: i32,
  adds: bool,
  dx: usize,
  dxStride: usize,
  scratch: Scratch,
): void {
  product(dy, stride, rows, layer.backward, layer.outputs, padded(layer.inputs), 0, adds, dx, dxStride, scratch);
}

/** dW += dyᵀ x, db += Σ dy; neither if it is frozen. */
export function parameterGradients(
  layer: TrainedLinear,
  dy: usize,
  dyStride: usize,
  x: usize,
  xStride: usize,
  rows: i32,
  scratch: GradientScratch,
): void {
  outputGradients(layer, dy, dyStride, x, xStride, rows, 0, layer.outputs, scratch);
}

/** The gradients of the parameters of outputs `start` to `end` - 1; `start` is a multiple of 16. */
export function outputGradients(
  layer: TrainedLinear,
  dy: usize,
  dyStride: usize,
  x: usize,
  xStride: usize,
  rows: i32,
  start: i32,
  end: i32,
  scratch: GradientScratch,
): void {
  if (layer.dBias) addRowsTo(layer.dBias + 4 * start, dy + 4 * start, dyStride, rows, end - start);
  if (!layer.dWeight) return;
  const inputs = layer.inputs;
  const progress = scratch.progress;
  packColumns(x, xStride, rows, inputs, rows, scratch.panels);
  // Sixteen rows of dW at a time from left to right: the processor then reads ahead of what is added to.
  for (let output = start; output < end; output += BLOCK) {
    packBlock(dy + 4 * output, dyStride, rows, scratch.block);
    const count = min(BLOCK, end - output);
    const dWeight = layer.dWeight + 4 * output * inputs;
    let panel = scratch.panels;
    for (let column = 0; column < inputs; column += Tile.PANEL, panel += 4 * Tile.PANEL * rows) {
      const columns = min(<i32>Tile.PANEL, inputs - column);
      accumulateOuter(scratch.block, 4 * BLOCK, count, panel, rows, columns, dWeight + 4 * column, 4 * inputs, scratch.spare);
    }
    store<i32>(progress, load<i32>(progress) + 1);
  }
}

/** Columns of a gradient that are packed at a time: a cache line. Rows are padded to whole ones. */
const BLOCK: i32 = 16;

/** x [rows][16] → [rows][16], contiguous */
function packBlock(x: usize, stride: usize, rows: i32, block: usize): void {
  for (const end = block + 4 * BLOCK * rows; block < end; block += 4 * BLOCK, x += stride) {
    v128.store(block, v128.load(x));
    v128.store(block, v128.load(x, 16), 16);
    v128.store(block, v128.load(x, 32), 32);
    v128.store(block, v128.load(x, 48), 48);
  }
}

/** sum += Σ of rows; f32 [count] */
function addRowsTo(sum: usize, x: usize, stride: usize, rows: i32, count: i32): void {
  for (let row = 0; row < rows; row++, x += stride) addTo(sum, x, count);
}

/** a += b, f32 [count] */
export function addTo(a: usize, b: usize, count: i32): void {
  const whole: usize = 4 * (count & -4);
  const end: usize = 4 * count;
  for (let i: usize = 0; i < whole; i += 16) {
    v128.store(a + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
  for (let i = whole; i < end; i += 4) store<f32>(a + i, load<f32>(a + i) + load<f32>(b + i));
}

/**
 * out = a + factor · b, for rows of f32 [count]; each image has `each` rows.
 *
 * @param count a multiple of 4
 * @param factors f32 [images], or 0 for 1
 */
export function addBranch(
  a: usize,
  b: usize,
  stride: usize,
  rows: i32,
  each: i32,
  count: i32,
  factors: usize,
  out: usize,
): void {
  const bytes: usize = 4 * count;
  for (let row = 0; row < rows; row++, a += stride, b += stride, out += stride) {
    const factor = f32x4.splat(factors ? load<f32>(factors + 4 * (row / each)) : 1);
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(out + i, f32x4.add(v128.load(a + i), f32x4.mul(factor, v128.load(b + i))));
    }
  }
}

/** out = factor · x, for rows of f32 [count], a multiple of 4; each image has `each` rows. */
export function scaleRows(
  x: usize,
  stride: usize,
  rows: i32,
  each: i32,
  count: i32,
  factors: usize,
  out: usize,
): void {
  const bytes: usize = 4 * count;
  for (let row = 0; row < rows; row++, x += stride, out += stride) {
    const factor = v128.load32_splat(factors + 4 * (row / each));
    for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, f32x4.mul(factor, v128.load(x + i)));
  }
}

/** Copies every `each`-th row, from the first on. */
export function gatherRows(x: usize, stride: usize, rows: i32, each: i32, bytes: usize, out: usize): void {
  for (let row = 0; row < rows; row++, x += each * stride, out += stride) memory.copy(out, x, bytes);
}

/** The next multiple of 8. */
export function padded(count: i32): i32 {
  return (count + Tile.PANEL - 1) & -Tile.PANEL;
}
