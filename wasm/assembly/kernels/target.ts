import { activate, Activation } from "./activation";
import { Tile } from "./simd";

/** Bytes from row to row of a tile. */
export const TILE_STRIDE: usize = 4 * Tile.PANEL;

/** How the outputs of a linear layer are written. */
export const enum OutputKind {
  /** f32 [rows][outputs], `stride` bytes apart. */
  ROWS,
  /** As ROWS, after an activation function. */
  ACTIVATED,
  /** Added to existing rows. */
  ADDED,
  /** f32 [head][token / 8][channel][token % 8]: the right matrix of q kᵀ, in panels. */
  KEYS,
  /** f32 [channel / 8][token][channel % 8]: the right matrix of p v, in panels. */
  VALUES,
}

/** The destination of a linear layer's outputs. */
@unmanaged
export class Target {
  kind: OutputKind;
  data: usize;
  /** Bytes from row to row; for KEYS and VALUES, the padded number of tokens. */
  stride: i32;
  /** The token of the first row, for KEYS and VALUES. */
  row: i32;
  /** Channels of a head, a multiple of Tile.PANEL, for KEYS. */
  headSize: i32;
  activation: Activation;
}

/** Where a tile's first row belongs, unless the outputs are KEYS. */
// @ts-ignore: decorator
@inline
export function placeOf(target: Target, row: i32, column: i32): usize {
  return target.kind == OutputKind.VALUES
    ? target.data + 32 * ((column / Tile.PANEL) * target.stride + target.row + row)
    : target.data + row * target.stride + 4 * column;
}

/** Bytes from row to row there. */
// @ts-ignore: decorator
@inline
export function strideOf(target: Target): usize {
  return target.kind == OutputKind.VALUES ? 32 : target.stride;
}

/**
 * Writes a tile of finished outputs.
 *
 * @param row the first row of the tile, counted from the target's first
 * @param column the first of the tile's eight outputs
 * @param tile f32 [count][8], TILE_STRIDE bytes apart; ACTIVATED changes it in place
 */
export function putTile(
  target: Target,
  row: i32,
  column: i32,
  tile: usize,
  count: i32,
): void {
  const kind = target.kind;
  const data = target.data;
  const end = tile + TILE_STRIDE * count;
  if (kind == OutputKind.KEYS) {
    const size = target.headSize;
    const panel = (column / size) * (target.stride / Tile.PANEL);
    const channel = column % size;
    for (let token = target.row + row; tile < end; tile += TILE_STRIDE, token++) {
      const to = data + 4 * (((panel + (token >> 3)) * size + channel) * Tile.PANEL + (token & 7));
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
  let to = placeOf(target, row, column);
  const stride = strideOf(target);
  if (kind == OutputKind.ACTIVATED) activate(target.activation, tile, count, TILE_STRIDE);
  if (kind == OutputKind.ADDED) {
    for (; tile < end; tile += TILE_STRIDE, to += stride) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(tile)));
      v128.store(to, f32x4.add(v128.load(to, 16), v128.load(tile, 16)), 16);
    }
  } else {
    for (; tile < end; tile += TILE_STRIDE, to += stride) {
      v128.store(to, v128.load(tile));
      v128.store(to, v128.load(tile, 16), 16);
    }
  }
}
