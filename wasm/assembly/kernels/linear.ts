// Linear layers, x Wᵀ + b, tile by tile.

import { activate } from "./activation";
import { quantizeRow } from "./quantize";
import { madd, PANEL, TILE_ROWS } from "./simd";
import { tileF32, tileI8 } from "./tile";

/** How a layer's weights are stored. */
export const F32: i32 = 0;
export const F16: i32 = 1;
export const I8: i32 = 2;

/** A linear layer, as it lies in memory. Its columns are padded with zeros to a multiple of PANEL. */
@unmanaged
export class Linear {
  dtype: i32;
  inputs: i32;
  outputs: i32; // a multiple of PANEL
  /** Panels [outputs / 8]: f32 or f16 [inputs][8]; u8 [⌈inputs / 4⌉][8][4], the weight + 64. */
  weight: usize;
  /** f32 [outputs], for I8 */
  scale: usize;
  /** f32 [outputs] */
  bias: usize;
}

/** What a thread has to itself while it works on a block of rows. */
@unmanaged
export class Scratch {
  /** f32 [block rows], `normalStride` bytes apart: what goes into a block's matrix products. */
  normal: usize;
  normalStride: i32;
  /** f32 [block rows]: pixels of patches, or what is inside an MLP. */
  hidden: usize;
  hiddenStride: i32;
  /** i8 [block rows]: a linear layer's input, quantised. */
  quantized: usize;
  quantizedStride: i32;
  /** f32 and i32 [block rows]; see `quantizeRow`. */
  rowScale: usize;
  rowStart: usize;
  /** f32 [TILE_ROWS]: a tile's attention scores. */
  scores: usize;
  scoresStride: i32;
  /** f32 [inputs][8]: a panel of f16 weights, as f32. */
  panel: usize;
  /** f32 [TILE_ROWS][8] */
  tile: usize;
  /** i32, grows while the thread works. */
  progress: usize;
}

/** What becomes of a linear layer's outputs. */
export const ROWS: i32 = 0; // rows of them, `stride` bytes apart
export const ACTIVATED: i32 = 1; // the same, through an activation function
export const ADDED: i32 = 2; // added to what is there
export const KEYS: i32 = 3; // panels of eight tokens
export const VALUES: i32 = 4; // panels of eight channels

/** Where a linear layer's outputs go. */
@unmanaged
export class Target {
  kind: i32;
  data: usize;
  /** Bytes from row to row; of KEYS and VALUES the number of rows in a panel's column. */
  stride: i32;
  /** The row that the first one is, for KEYS and VALUES. */
  row: i32;
  /** Channels of a head, a multiple of PANEL, for KEYS. */
  headSize: i32;
  activation: i32;
}

/**
 * Applies a linear layer to `rows` rows of f32, `stride` bytes apart. Up to a whole tile is read past
 * the last row.
 *
 * @param quantized whether the scratch has the rows quantised already
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
  if (dtype == I8 && !quantized) {
    for (let row = 0; row < rows; row++) quantizeInto(scratch, row, x + row * stride, inputs);
  }
  const groups = (inputs + 3) >> 2;
  const tile = scratch.tile;
  const panels = layer.outputs / PANEL;
  for (let p = 0; p < panels; p++) {
    let panel = layer.weight;
    if (dtype == F32) panel += p * inputs * PANEL * 4;
    else if (dtype == I8) panel += p * groups * PANEL * 4;
    else {
      widenHalves(panel + p * inputs * PANEL * 2, inputs * PANEL, scratch.panel);
      panel = scratch.panel;
    }
    const column = p * PANEL;
    for (let row = 0; row < rows; row += TILE_ROWS) {
      const count = min(TILE_ROWS, rows - row);
      if (dtype == I8) {
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
      put(target, row, column, tile, count);
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** Quantises one row into the scratch. */
export function quantizeInto(scratch: Scratch, row: i32, x: usize, width: i32): void {
  quantizeRow(
    x,
    width,
    scratch.quantized + row * scratch.quantizedStride,
    scratch.rowScale + 4 * row,
    scratch.rowStart + 4 * row,
  );
}

function addBias(layer: Linear, column: i32, tile: usize, count: i32): void {
  const left = v128.load(layer.bias + 4 * column);
  const right = v128.load(layer.bias + 4 * column, 16);
  for (const end = tile + 32 * count; tile < end; tile += 32) {
    v128.store(tile, f32x4.add(v128.load(tile), left));
    v128.store(tile, f32x4.add(v128.load(tile, 16), right), 16);
  }
}

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

/** Puts a tile of finished outputs where they belong. */
function put(target: Target, row: i32, column: i32, tile: usize, count: i32): void {
  const kind = target.kind;
  const data = target.data;
  const end = tile + 32 * count;
  if (kind == KEYS) {
    // [head][token / 8][channel][token % 8]
    const size = target.headSize;
    const panel = (column / size) * (target.stride / PANEL);
    const channel = column % size;
    for (let token = target.row + row; tile < end; tile += 32, token++) {
      const to = data + 4 * (((panel + (token >> 3)) * size + channel) * PANEL + (token & 7));
      const left = v128.load(tile);
      const right = v128.load(tile, 16);
      v128.store32_lane(to, left, 0);
      v128.store32_lane(to, left, 1, 32);
      v128.store32_lane(to, left, 2, 64);
      v128.store32_lane(to, left, 3, 96);
      v128.store32_lane(to, right, 0, 128);
      v128.store32_lane(to, right, 1, 160);
      v128.store32_lane(to, right, 2, 192);
      v128.store32_lane(to, right, 3, 224);
    }
    return;
  }
  let to: usize;
  let stride: usize = 32;
  if (kind == VALUES) {
    // [channel / 8][token][channel % 8]
    to = data + 32 * ((column / PANEL) * target.stride + target.row + row);
  } else {
    to = data + row * target.stride + 4 * column;
    stride = target.stride;
  }
  if (kind == ACTIVATED) activate(target.activation, tile, PANEL * count);
  if (kind == ADDED) {
    for (; tile < end; tile += 32, to += stride) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(tile)));
      v128.store(to, f32x4.add(v128.load(to, 16), v128.load(tile, 16)), 16);
    }
  } else {
    for (; tile < end; tile += 32, to += stride) {
      v128.store(to, v128.load(tile));
      v128.store(to, v128.load(tile, 16), 16);
    }
  }
}

/** Finite float16 numbers, a multiple of 4 of them, as float32. */
export function widenHalves(halves: usize, count: i32, out: usize): void {
  // An exponent of float16 is 112 less than float32's, which multiplying makes up for, also where
  // the number is subnormal.
  const power = f32x4.splat(reinterpret<f32>((112 + 127) << 23));
  for (const end = halves + 2 * count; halves < end; halves += 8, out += 16) {
    const half = v128.load16x4_u(halves);
    const magnitude = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
    const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
    v128.store(out, v128.or(f32x4.mul(magnitude, power), sign));
  }
}
