import { widenHalves } from "./half";
import { quantizeInto } from "./quantize";
import { Scratch } from "./scratch";
import { madd, PANEL, TILE_ROWS } from "./simd";
import { putTile, Target } from "./target";
import { tileF32, tileI8 } from "./tile";

/** How a layer's weights are stored. */
export const enum DType {
  F32,
  F16,
  I8,
}

/** A linear layer: y = x Wᵀ + b. */
@unmanaged
export class Linear {
  dtype: DType;
  inputs: i32;
  /** A multiple of PANEL: the columns of Wᵀ are padded with zeros. */
  outputs: i32;
  /** Panels [outputs / 8]: f32 or f16 [inputs][8]; u8 [⌈inputs / 4⌉][8][4], the weight + 64. */
  weight: usize;
  /** f32 [outputs], for I8: a weight is scale · its 8-bit number. */
  scale: usize;
  /** f32 [outputs] */
  bias: usize;
}

/**
 * Applies a linear layer to rows, which are quantised for int8 weights:
 * y = (scaleₓ · xq) (scale · W)ᵀ + b.
 *
 * @param x f32 [rows][inputs], `stride` bytes apart; up to a whole tile is read past the last row
 * @param quantized whether the scratch has the rows quantised already; for I8
 */
export function linear(
  layer: Linear,
  x: usize,
  stride: usize,
  rows: i32,
  target: Target,
  scratch: Scratch,
  quantized: bool,
): void {
  const dtype = layer.dtype;
  const inputs = layer.inputs;
  if (dtype == DType.I8 && !quantized) {
    for (let row = 0; row < rows; row++) quantizeInto(scratch, row, x + row * stride, inputs);
  }
  const groups = (inputs + 3) >> 2;
  const tile = scratch.tile;
  const panels = layer.outputs / PANEL;
  for (let p = 0; p < panels; p++) {
    let panel = layer.weight;
    if (dtype == DType.F32) panel += p * inputs * PANEL * 4;
    else if (dtype == DType.I8) panel += p * groups * PANEL * 4;
    else {
      widenHalves(panel + p * inputs * PANEL * 2, inputs * PANEL, scratch.panel);
      panel = scratch.panel;
    }
    const column = p * PANEL;
    for (let row = 0; row < rows; row += TILE_ROWS) {
      const count = min(TILE_ROWS, rows - row);
      if (dtype == DType.I8) {
        tileI8(
          scratch.quantized + row * scratch.quantizedStride,
          scratch.quantizedStride,
          panel,
          groups,
          scratch.rowStart + 4 * row,
          tile,
        );
        addBiasToScaled(layer, column, tile, count, scratch.rowScale + 4 * row);
      } else {
        tileF32(x + row * stride, stride, panel, inputs, tile, 4 * PANEL);
        addBias(layer, column, tile, count);
      }
      putTile(target, row, column, tile, count);
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** tile [count][8] += bias */
function addBias(layer: Linear, column: i32, tile: usize, count: i32): void {
  const left = v128.load(layer.bias + 4 * column);
  const right = v128.load(layer.bias + 4 * column, 16);
  for (const end = tile + 32 * count; tile < end; tile += 32) {
    v128.store(tile, f32x4.add(v128.load(tile), left));
    v128.store(tile, f32x4.add(v128.load(tile, 16), right), 16);
  }
}

/** tile [count][8] = rowScale · scale · tile + bias, from i32 to f32 */
function addBiasToScaled(
  layer: Linear,
  column: i32,
  tile: usize,
  count: i32,
  rowScale: usize,
): void {
  const left = v128.load(layer.bias + 4 * column);
  const right = v128.load(layer.bias + 4 * column, 16);
  const leftScale = v128.load(layer.scale + 4 * column);
  const rightScale = v128.load(layer.scale + 4 * column, 16);
  for (const end = tile + 32 * count; tile < end; tile += 32, rowScale += 4) {
    const scale = v128.load32_splat(rowScale);
    const a = f32x4.convert_i32x4_s(v128.load(tile));
    const b = f32x4.convert_i32x4_s(v128.load(tile, 16));
    v128.store(tile, madd(a, f32x4.mul(scale, leftScale), left));
    v128.store(tile, madd(b, f32x4.mul(scale, rightScale), right), 16);
  }
}
