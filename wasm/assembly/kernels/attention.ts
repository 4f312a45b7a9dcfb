import { Scratch } from "./scratch";
import { Tile } from "./simd";
import { softmaxNumerators } from "./softmax";
import { TILE_STRIDE } from "./target";
import { multiplyF32 } from "./tile/f32";

/** One head of attention, for some rows. */
@unmanaged
export class Head {
  /** f32 [rows][headSize], `queryStride` bytes apart; up to Tile.ROWS_PAST rows are read past the last. */
  queries: usize;
  queryStride: i32;
  rows: i32;
  /** f32 [⌈tokens / 8⌉][headSize][8] */
  keys: usize;
  /** f32 [headSize / 8][paddedTokens][8] */
  values: usize;
  tokens: i32;
  /** Channels, a multiple of 8. */
  headSize: i32;
  /** The factor of q kᵀ: 1 / √(channels without padding). */
  scale: f32;
  /** f32 [rows][headSize], `outStride` bytes apart. */
  out: usize;
  outStride: i32;
  /** f32 [rows][tokens], or 0 if they are not wanted. */
  probabilities: usize;
}

/** out = softmax(q kᵀ · scale) v, a strip of rows at a time. */
export function attention(head: Head, scratch: Scratch): void {
  const tokens = head.tokens;
  const headSize = head.headSize;
  const scores = scratch.scores;
  const scoresStride = scratch.scoresStride;
  const paddedTokens = (tokens + Tile.PANEL - 1) & -Tile.PANEL;
  const tile = scratch.tile;
  for (let row = 0; row < head.rows; row += Tile.STRIP_ROWS) {
    const count = min(Tile.STRIP_ROWS, head.rows - row);
    const queries = head.queries + row * head.queryStride;
    for (let token = 0; token < paddedTokens; token += Tile.PANEL) {
      const panel = head.keys + 4 * token * headSize;
      multiplyF32(queries, head.queryStride, count, panel, headSize, scores + 4 * token, scoresStride);
    }
    for (let r = 0; r < count; r++) {
      const at = scores + r * scoresStride;
      const sum = softmaxNumerators(at, tokens, paddedTokens, head.scale);
      // The context is divided instead: it has only headSize numbers a row.
      store<f32>(scratch.rowScale + 4 * r, 1 / sum);
      if (head.probabilities) {
        divide(at, tokens, sum, head.probabilities + 4 * (row + r) * tokens);
      }
    }
    for (let channel = 0; channel < headSize; channel += Tile.PANEL) {
      const panel = head.values + 4 * channel * paddedTokens;
      multiplyF32(scores, scoresStride, count, panel, tokens, tile, TILE_STRIDE);
      let to = head.out + row * head.outStride + 4 * channel;
      for (let r = 0; r < count; r++, to += head.outStride) {
        const factor = v128.load32_splat(scratch.rowScale + 4 * r);
        const from = tile + r * TILE_STRIDE;
        v128.store(to, f32x4.mul(v128.load(from), factor));
        v128.store(to, f32x4.mul(v128.load(from, 16), factor), 16);
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}

/** out = x / sum, f32 [count] */
export function divide(x: usize, count: i32, sum: f32, out: usize): void {
  for (let i: usize = 0; i < <usize>(4 * count); i += 4) store<f32>(out + i, load<f32>(x + i) / sum);
}
