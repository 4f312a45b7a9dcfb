import { Scratch } from "./scratch";
import { PANEL, TILE_ROWS } from "./simd";
import { softmaxNumerators } from "./softmax";
import { tileF32 } from "./tile";

/** Some rows of one head's attention. */
@unmanaged
export class Head {
  /** f32 [rows][headSize], `queryStride` bytes apart; up to a whole tile is read past the last row. */
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
  /** q kᵀ is multiplied by it: 1 / √(channels without padding). */
  scale: f32;
  /** f32 [rows][headSize], `outStride` bytes apart; up to a whole tile is written past the last row. */
  out: usize;
  outStride: i32;
  /** f32 [rows][tokens], or 0 where they are not wanted. */
  probabilities: usize;
}

/** out = softmax(q kᵀ · scale) v, a tile of rows at a time. */
export function attention(head: Head, scratch: Scratch): void {
  const stride = head.queryStride;
  const outStride = head.outStride;
  const rows = head.rows;
  const tokens = head.tokens;
  const headSize = head.headSize;
  const scores = scratch.scores;
  const scoresStride = scratch.scoresStride;
  const paddedTokens = (tokens + PANEL - 1) & -PANEL;
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const count = min(TILE_ROWS, rows - row);
    const queries = head.queries + row * stride;
    for (let token = 0; token < paddedTokens; token += PANEL) {
      const panel = head.keys + 4 * token * headSize;
      tileF32(queries, stride, panel, headSize, scores + 4 * token, scoresStride);
    }
    for (let r = 0; r < count; r++) {
      const sum = softmaxNumerators(scores + r * scoresStride, tokens, paddedTokens, head.scale);
      // The division is left for the end, when there are only headSize numbers a row.
      store<f32>(scratch.tile + 4 * r, sum);
      if (head.probabilities) {
        const to = head.probabilities + 4 * (row + r) * tokens;
        for (let t = 0; t < tokens; t++) {
          store<f32>(to + 4 * t, load<f32>(scores + r * scoresStride + 4 * t) / sum);
        }
      }
    }
    const to = head.out + row * outStride;
    for (let channel = 0; channel < headSize; channel += PANEL) {
      const panel = head.values + 4 * channel * paddedTokens;
      tileF32(scores, scoresStride, panel, tokens, to + 4 * channel, outStride);
    }
    for (let r = 0; r < count; r++) {
      const factor = f32x4.splat(1 / load<f32>(scratch.tile + 4 * r));
      const context = to + r * outStride;
      for (let i: usize = 0; i < <usize>(4 * headSize); i += 16) {
        v128.store(context + i, f32x4.mul(v128.load(context + i), factor));
      }
    }
    store<i32>(scratch.progress, load<i32>(scratch.progress) + 1);
  }
}
