import { Activation, coarseGelu } from "./activation";
import { widenHalves } from "./half";
import { quantizeInto } from "./quantize";
import { Scratch } from "./scratch";
import { exactMadd, Tile } from "./simd";
import { OutputKind, placeOf, putTile, strideOf, Target, TILE_STRIDE } from "./target";
import { Signed } from "./tile/dot";
import { multiplyExact, multiplyF32 } from "./tile/f32";
import { multiplyI8 } from "./tile/i8";

/** The type of stored weights. */
export const enum DType {
  F32,
  F16,
  I8,
  /** f32, multiplied with the same bits in both builds: what models of int8 have beside it. */
  F32_EXACT,
}

/** A linear layer: y = x Wᵀ + b. */
@unmanaged
export class Linear {
  dtype: DType;
  inputs: i32;
  /** A multiple of Tile.PANEL: the columns of Wᵀ are padded with zeros. */
  outputs: i32;
  /** Panels [outputs / 8]: f32 or f16 [inputs][8]; u8 [⌈inputs / 4⌉][8][4], the weight + 64. */
  weight: usize;
  /** f32 [outputs], for I8: weight = scale · 8-bit number. */
  scale: usize;
  /** f32 [outputs] */
  bias: usize;
}

/**
 * Applies a linear layer to rows. For int8 weights it quantises the rows:
 * y = (scaleₓ · xq) (scale · W)ᵀ + b.
 *
 * @param x f32 [rows][inputs], `stride` bytes apart; up to Tile.ROWS_PAST rows are read past the last
 * @param quantized whether the scratch already holds the quantised rows, for I8
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
  if (layer.dtype == DType.I8) {
    for (let row = 0; row < rows && !quantized; row++) {
      quantizeInto(scratch, row, x + row * stride, layer.inputs);
    }
    linearI8(layer, rows, target, scratch);
  } else linearF32(layer, x, stride, rows, target, scratch);
}

function linearI8(layer: Linear, rows: i32, target: Target, scratch: Scratch): void {
  const groups = (layer.inputs + 3) >> 2;
  const stride = scratch.quantizedStride;
  const tile = scratch.tile;
  let panel = layer.weight;
  for (let column = 0; column < layer.outputs; column += Tile.PANEL, panel += groups * Tile.PANEL * 4) {
    for (let row = 0; row < rows; row += Tile.STRIP_ROWS) {
      const count = min(Tile.STRIP_ROWS, rows - row);
      const numbers = scratch.quantized + row * stride;
      const starts = scratch.rowStart + 4 * row;
      multiplyI8(Signed.A, numbers, stride, count, panel, groups, starts, scratch.panel, tile, TILE_STRIDE);
      putScaled(layer, target, row, column, tile, count, scratch.rowScale + 4 * row);
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** For weights that are not int8. */
function linearF32(
  layer: Linear,
  x: usize,
  stride: usize,
  rows: i32,
  target: Target,
  scratch: Scratch,
): void {
  const inputs = layer.inputs;
  const isHalf = layer.dtype == DType.F16;
  const isExact = layer.dtype == DType.F32_EXACT;
  const panelBytes: usize = inputs * Tile.PANEL * (isHalf ? 2 : 4);
  const tile = scratch.tile;
  let panel = layer.weight;
  for (let column = 0; column < layer.outputs; column += Tile.PANEL, panel += panelBytes) {
    let weight = panel;
    if (isHalf) {
      widenHalves(panel, inputs * Tile.PANEL, scratch.panel);
      weight = scratch.panel;
    }
    for (let row = 0; row < rows; row += Tile.STRIP_ROWS) {
      const count = min(Tile.STRIP_ROWS, rows - row);
      const from = x + row * stride;
      if (isExact) multiplyExact(from, stride, count, weight, inputs, tile, TILE_STRIDE);
      else multiplyF32(from, stride, count, weight, inputs, tile, TILE_STRIDE);
      addBias(layer, column, tile, count);
      putTile(target, row, column, tile, count);
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** tile [count][8] += bias */
function addBias(layer: Linear, column: i32, tile: usize, count: i32): void {
  const left = v128.load(layer.bias + 4 * column);
  const right = v128.load(layer.bias + 4 * column, 16);
  for (const end = tile + TILE_STRIDE * count; tile < end; tile += TILE_STRIDE) {
    v128.store(tile, f32x4.add(v128.load(tile), left));
    v128.store(tile, f32x4.add(v128.load(tile, 16), right), 16);
  }
}

/**
 * Writes a tile of outputs of int8: rowScale · scale · tile + bias, where `putTile` would write it.
 *
 * @param tile i32 [count][8], TILE_STRIDE bytes apart; may change
 */
function putScaled(
  layer: Linear,
  target: Target,
  row: i32,
  column: i32,
  tile: usize,
  count: i32,
  rowScale: usize,
): void {
  const left = v128.load(layer.bias + 4 * column);
  const right = v128.load(layer.bias + 4 * column, 16);
  const leftScale = v128.load(layer.scale + 4 * column);
  const rightScale = v128.load(layer.scale + 4 * column, 16);
  const end = tile + TILE_STRIDE * count;
  const kind = target.kind;
  const isGelu = kind == OutputKind.ACTIVATED && target.activation == Activation.GELU;
  // What most outputs become takes no further loop.
  const isDirect = isGelu || (kind != OutputKind.KEYS && kind != OutputKind.ACTIVATED);
  const stride = isDirect ? strideOf(target) : TILE_STRIDE;
  let to = isDirect ? placeOf(target, row, column) : tile;
  for (let from = tile; from < end; from += TILE_STRIDE, to += stride, rowScale += 4) {
    const scale = v128.load32_splat(rowScale);
    const a = exactMadd(f32x4.convert_i32x4_s(v128.load(from)), f32x4.mul(scale, leftScale), left);
    const b = exactMadd(f32x4.convert_i32x4_s(v128.load(from, 16)), f32x4.mul(scale, rightScale), right);
    if (kind == OutputKind.ADDED) {
      v128.store(to, f32x4.add(v128.load(to), a));
      v128.store(to, f32x4.add(v128.load(to, 16), b), 16);
    } else if (isGelu) {
      v128.store(to, coarseGelu(a));
      v128.store(to, coarseGelu(b), 16);
    } else {
      v128.store(to, a);
      v128.store(to, b, 16);
    }
  }
  if (!isDirect) putTile(target, row, column, tile, count);
}
