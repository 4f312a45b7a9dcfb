import { divide } from "../attention";
import { packColumns, packRows } from "../panels";
import { Tile } from "../simd";
import { softmaxNumerators } from "../softmax";
import { accumulateOuter } from "../tile/outer";
import { product } from "../product";
import { Scratch } from "../scratch";

/** Rows of queries whose gradients are computed at a time. */
export const enum Strip {
  ROWS = 100,
}

/** One head of attention in an image, with its gradients. Rows lie `stride` bytes apart. */
@unmanaged
export class HeadGradient {
  /** f32 [rows][size] */
  queries: usize;
  /** f32 [tokens][size] */
  keys: usize;
  values: usize;
  stride: i32;
  rows: i32;
  tokens: i32;
  /** Channels of a head, and the same as a multiple of 8. */
  size: i32;
  paddedSize: i32;
  /** 1 / √size */
  scale: f32;
  /** f32 [rows][size], the gradient of the context. */
  dContext: usize;
  /** f32 [rows][size]; a multiple of 8 channels is written. */
  dQueries: usize;
  /** f32 [tokens][size]; gradients are added. */
  dKeys: usize;
  dValues: usize;

  /** Panels of the keys and values by token, [⌈tokens / 8⌉][paddedSize][8]. */
  keyRows: usize;
  valueRows: usize;
  /** Panels of the keys by channel, [paddedSize / 8][tokens][8]. */
  keyColumns: usize;
  /** Panels of a strip's queries and gradients by channel, [paddedSize / 8][Strip.ROWS][8]. */
  queryColumns: usize;
  dContextColumns: usize;
  /** f32 [Strip.ROWS + Tile.ROWS_PAST][paddedTokens], the gradient of the scores; `Scratch` has the scores. */
  dScores: usize;
  /** SPARE_BYTES bytes; see `accumulateOuter`. */
  spare: usize;
}

/**
 * The backward of softmax(q kᵀ · scale) v, a strip of rows at a time. With the probabilities P, which are
 * computed again:
 *
 *     dV += Pᵀ dO,  dP = dO Vᵀ,  dS = P ⊙ (dP - rowsum(dP ⊙ P)),  dQ = scale · dS K,  dK += scale · dSᵀ Q
 */
export function attentionBackward(head: HeadGradient, scratch: Scratch): void {
  const tokens = head.tokens;
  const size = head.size;
  const paddedSize = head.paddedSize;
  const stride = head.stride;
  const paddedTokens = (tokens + Tile.PANEL - 1) & -Tile.PANEL;
  const scores = scratch.scores;
  const scoresStride = scratch.scoresStride;
  packRows(head.keys, stride, tokens, size, paddedSize, head.keyRows);
  packRows(head.values, stride, tokens, size, paddedSize, head.valueRows);
  packColumns(head.keys, stride, tokens, size, tokens, head.keyColumns);
  for (let row = 0; row < head.rows; row += Strip.ROWS) {
    const count = min(<i32>Strip.ROWS, head.rows - row);
    const queries = head.queries + row * stride;
    const dContext = head.dContext + row * stride;
    product(queries, stride, count, head.keyRows, paddedSize, paddedTokens, 0, false, scores, scoresStride, scratch);
    product(dContext, stride, count, head.valueRows, paddedSize, paddedTokens, 0, false, head.dScores, scoresStride, scratch);
    for (let r = 0; r < count; r++) {
      const p = scores + r * scoresStride;
      const sum = softmaxNumerators(p, tokens, paddedTokens, head.scale);
      divide(p, tokens, sum, p);
      scoreGradients(p, head.dScores + r * scoresStride, tokens, head.scale);
    }
    product(head.dScores, scoresStride, count, head.keyColumns, tokens, paddedSize, 0, false, head.dQueries + row * stride, stride, scratch);
    packColumns(queries, stride, count, size, Strip.ROWS, head.queryColumns);
    packColumns(dContext, stride, count, size, Strip.ROWS, head.dContextColumns);
    for (let channel = 0; channel < size; channel += Tile.PANEL) {
      const columns = min(<i32>Tile.PANEL, size - channel);
      const panel: usize = 4 * channel * Strip.ROWS;
      accumulateOuter(scores, scoresStride, tokens, head.dContextColumns + panel, count, columns, head.dValues + 4 * channel, stride, head.spare);
      accumulateOuter(head.dScores, scoresStride, tokens, head.queryColumns + panel, count, columns, head.dKeys + 4 * channel, stride, head.spare);
    }
  }
}

/** dp = scale · p ⊙ (dp - Σ dp ⊙ p), f32 [count] */
function scoreGradients(p: usize, dp: usize, count: i32, scale: f32): void {
  const end: usize = 4 * count;
  let sum: f32 = 0;
  for (let i: usize = 0; i < end; i += 4) sum += load<f32>(p + i) * load<f32>(dp + i);
  for (let i: usize = 0; i < end; i += 4) {
    store<f32>(dp + i, scale * load<f32>(p + i) * (load<f32>(dp + i) - sum));
  }
}
