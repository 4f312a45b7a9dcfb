// The forward of ViT-MSN. Each thread has a share of the tokens, of which it computes everything; only
// the keys and values are everybody's. It takes its share in blocks of rows that fit the cache.

import { attention } from "../kernels/attention";
import { meet } from "./barrier";
import { layerNorm } from "../kernels/layer_norm";
import {
  ACTIVATED,
  ADDED,
  I8,
  KEYS,
  Linear,
  linear,
  quantizeInto,
  ROWS,
  Scratch,
  Target,
  VALUES,
} from "../kernels/linear";
import { embedTokens } from "./embeddings";
import { Block, Plan } from "./plan";
import { TILE_ROWS } from "../kernels/simd";

/**
 * Does some steps of the forward: step 0 makes the embeddings, step i is block i, and the one after
 * the last block is the final LayerNorm and the classifier.
 *
 * @returns whether it was done; not if another thread is lost.
 */
export function forward(
  plan: Plan,
  scratch: Scratch,
  target: Target,
  thread: i32,
  threads: i32,
  first: i32,
  end: i32,
): bool {
  for (let step = first; step < end; step++) {
    if (step == 0) embed(plan, scratch, target, thread, threads);
    else if (step <= plan.layers) {
      const block = changetype<Block>(plan.blocks + (step - 1) * offsetof<Block>());
      // Keys and values of even and odd blocks have their own places: a thread may write the next
      // block's while another still reads this one's.
      const other: usize = step & 1 ? 0 : plan.keyBytes;
      const wanted = step == plan.layers ? plan.lastTokens : plan.tokens;
      project(plan, block, wanted, plan.keys + other, plan.values + other, scratch, target, thread, threads);
      if (!meet(plan.meeting, threads)) return false;
      transform(plan, block, step - 1, wanted, plan.keys + other, plan.values + other, scratch, target, thread, threads);
    } else finish(plan, scratch, target, thread, threads);
  }
  return true;
}

/** The first row of a thread's share of the tokens. */
function shareOf(thread: i32, threads: i32, tokens: i32): i32 {
  const tiles = (tokens + TILE_ROWS - 1) / TILE_ROWS;
  return min(tokens, <i32>(<i64>tiles * thread / threads) * TILE_ROWS);
}

/** Divides rows into blocks of about the same size, whole tiles, no more than `most`. */
function blockSize(rows: i32, most: i32): i32 {
  if (rows == 0) return most;
  const blocks = (rows + most - 1) / most;
  const tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  return (tiles + blocks - 1) / blocks * TILE_ROWS;
}

/** The patches' embeddings and CLS, with their positions. */
function embed(plan: Plan, scratch: Scratch, target: Target, thread: i32, threads: i32): void {
  const start = shareOf(thread, threads, plan.tokens);
  const end = shareOf(thread + 1, threads, plan.tokens);
  const size = blockSize(end - start, plan.blockRows);
  for (let row = start; row < end; row += size) {
    embedTokens(plan, row, min(size, end - row), scratch, target);
  }
}

/** The first LayerNorm, keys and values, and the queries of the first `wanted` tokens. */
function project(
  plan: Plan,
  block: Block,
  wanted: i32,
  keys: usize,
  values: usize,
  scratch: Scratch,
  target: Target,
  thread: i32,
  threads: i32,
): void {
  const start = shareOf(thread, threads, plan.tokens);
  const end = shareOf(thread + 1, threads, plan.tokens);
  const size = blockSize(end - start, plan.blockRows);
  const paddedTokens = (plan.tokens + 7) & -8;
  const query = changetype<Linear>(block.query);
  const key = changetype<Linear>(block.key);
  const value = changetype<Linear>(block.value);
  const x = scratch.normal;
  const stride = scratch.normalStride;
  for (let row = start; row < end; row += size) {
    const rows = min(size, end - row);
    // All three take the same rows.
    const isQuantized = query.dtype == I8;
    normalize(plan, row, rows, block.normBeforeWeight, block.normBeforeBias, x, stride, isQuantized ? scratch : null);
    target.row = row;
    const queries = plan.queries + row * plan.queryStride;
    const asking = max(0, min(rows, wanted - row));
    linear(query, x, stride, asking, put(target, ROWS, queries, plan.queryStride), scratch, isQuantized);
    linear(key, x, stride, rows, put(target, KEYS, keys, paddedTokens), scratch, isQuantized);
    linear(value, x, stride, rows, put(target, VALUES, values, paddedTokens), scratch, isQuantized);
  }
}

/** Attention, the second LayerNorm and the MLP, each added to the tokens. */
function transform(
  plan: Plan,
  block: Block,
  layer: i32,
  tokens: i32,
  keys: usize,
  values: usize,
  scratch: Scratch,
  target: Target,
  thread: i32,
  threads: i32,
): void {
  const T = plan.tokens;
  // The same shares as in `project`, as far as they are wanted: queries are a thread's own.
  const start = min(tokens, shareOf(thread, threads, T));
  const end = min(tokens, shareOf(thread + 1, threads, T));
  const size = blockSize(end - start, plan.blockRows);
  const headBytes: usize = 4 * plan.headSize * ((T + 7) & -8);
  const x = scratch.normal;
  const stride = scratch.normalStride;
  const hidden = scratch.hidden;
  const hiddenStride = scratch.hiddenStride;
  for (let row = start; row < end; row += size) {
    const rows = min(size, end - row);
    const states = plan.states + row * plan.stateStride;
    for (let head = 0; head < plan.heads; head++) {
      const seen: usize = plan.attentions ? plan.attentions + 4 * (head * T + row) * T : 0;
      attention(
        plan.queries + row * plan.queryStride + 4 * head * plan.headSize,
        plan.queryStride,
        rows,
        keys + head * headBytes,
        values + head * headBytes,
        T,
        plan.headSize,
        plan.scoreScale,
        x + 4 * head * plan.headSize,
        stride,
        seen,
        scratch,
      );
    }
    const attentionOutput = changetype<Linear>(block.attentionOutput);
    linear(attentionOutput, x, stride, rows, put(target, ADDED, states, plan.stateStride), scratch, false);
    const up = changetype<Linear>(block.intermediate);
    const isQuantized = up.dtype == I8;
    normalize(plan, row, rows, block.normAfterWeight, block.normAfterBias, x, stride, isQuantized ? scratch : null);
    linear(up, x, stride, rows, put(target, ACTIVATED, hidden, hiddenStride), scratch, isQuantized);
    const down = changetype<Linear>(block.output);
    linear(down, hidden, hiddenStride, rows, put(target, ADDED, states, plan.stateStride), scratch, false);
  }
}

/** The final LayerNorm, and the classifier of CLS. */
function finish(plan: Plan, scratch: Scratch, target: Target, thread: i32, threads: i32): void {
  const start = min(plan.lastTokens, shareOf(thread, threads, plan.tokens));
  const end = min(plan.lastTokens, shareOf(thread + 1, threads, plan.tokens));
  const stride = plan.stateStride;
  const output = plan.output + start * stride;
  normalize(plan, start, end - start, plan.normWeight, plan.normBias, output, stride, null);
  // CLS is not always the first thread's: with fewer tiles than threads, its share may be empty.
  if (start == 0 && end > 0 && plan.classifier) {
    const classifier = changetype<Linear>(plan.classifier);
    linear(classifier, plan.output, stride, 1, put(target, ROWS, plan.logits, 0), scratch, false);
  }
}

/** LayerNorm of the tokens from `row` on; with a scratch, each row is quantised into it at once. */
function normalize(
  plan: Plan,
  row: i32,
  rows: i32,
  weight: usize,
  bias: usize,
  out: usize,
  stride: i32,
  scratch: Scratch | null,
): void {
  const states = plan.states + row * plan.stateStride;
  for (let r = 0; r < rows; r++, out += stride) {
    layerNorm(states + r * plan.stateStride, weight, bias, out, plan.width, plan.epsilon);
    if (scratch) quantizeInto(scratch, r, out, plan.width);
  }
}

function put(target: Target, kind: i32, data: usize, stride: i32): Target {
  target.kind = kind;
  target.data = data;
  target.stride = stride;
  return target;
}
