// The forward of ViT-MSN. Each thread computes its share of the tokens from end to end and reads only the
// keys and values of the others. It works in blocks of rows that fit in the cache.

import { attention } from "../kernels/attention";
import { attentionI8 } from "../kernels/attention_i8";
import { layerNorm } from "../kernels/layer_norm";
import { DType, linear } from "../kernels/linear";
import { quantizeInto } from "../kernels/quantize";
import { Scratch } from "../kernels/scratch";
import { OutputKind, Target } from "../kernels/target";
import { arriveAndWait } from "./barrier";
import { embedTokens } from "./embeddings";
import { Block, Plan } from "./plan";
import { blockSize, shareOf, Thread } from "./thread";

/**
 * Computes steps `first` to `end` - 1 of the forward: step 0 makes the embeddings, step i is block i, and
 * the step after the last block is the final LayerNorm and the classifier.
 *
 * @returns false if another thread was lost.
 */
export function forward(plan: Plan, thread: Thread, first: i32, end: i32): bool {
  for (let step = first; step < end; step++) {
    if (step == 0) embed(plan, thread);
    else if (step <= plan.layers) {
      const block = changetype<Block>(plan.blocks + (step - 1) * offsetof<Block>());
      // Even and odd blocks have separate keys and values: a thread may write those of the next block
      // while another still reads these.
      const other: usize = step & 1 ? 0 : plan.keyBytes;
      const keys = plan.keys + other;
      const values = plan.values + other;
      const wanted = step == plan.layers ? plan.lastTokens : plan.tokens;
      project(plan, block, wanted, keys, values, thread);
      if (!arriveAndWait(plan.barrier, thread.count)) return false;
      transform(plan, block, wanted, keys, values, thread);
    } else finish(plan, thread);
  }
  return true;
}

/** states = embeddings, for the thread's tokens. */
function embed(plan: Plan, thread: Thread): void {
  const start = shareOf(thread.index, thread.count, plan.tokens);
  const end = shareOf(thread.index + 1, thread.count, plan.tokens);
  const size = blockSize(end - start, plan.blockRows);
  for (let row = start; row < end; row += size) {
    embedTokens(plan, row, min(size, end - row), thread);
  }
}

/**
 * x = LayerNorm(states); keys = x Wkᵀ + bk and values = x Wvᵀ + bv for the thread's tokens;
 * queries = x Wqᵀ + bq for those among the first `wanted`.
 */
function project(
  plan: Plan,
  block: Block,
  wanted: i32,
  keys: usize,
  values: usize,
  thread: Thread,
): void {
  const scratch = thread.scratch;
  const target = thread.target;
  const start = shareOf(thread.index, thread.count, plan.tokens);
  const end = shareOf(thread.index + 1, thread.count, plan.tokens);
  const size = blockSize(end - start, plan.blockRows);
  const paddedTokens = (plan.tokens + 7) & -8;
  const query = block.query;
  const key = block.key;
  const value = block.value;
  const x = scratch.normal;
  const stride = scratch.normalStride;
  for (let row = start; row < end; row += size) {
    const rows = min(size, end - row);
    // The three layers share the quantised rows.
    const isQuantized = query.dtype == DType.I8;
    normalize(plan, row, rows, block.normBeforeWeight, block.normBeforeBias, x, stride, isQuantized ? scratch : null);
    target.row = row;
    const queries = plan.queries + row * plan.queryStride;
    const asking = max(0, min(rows, wanted - row));
    linear(query, x, stride, asking, put(target, OutputKind.ROWS, queries, plan.queryStride), scratch, isQuantized);
    linear(key, x, stride, rows, put(target, OutputKind.KEYS, keys, paddedTokens), scratch, isQuantized);
    linear(value, x, stride, rows, put(target, OutputKind.VALUES, values, paddedTokens), scratch, isQuantized);
  }
}

/**
 * For the thread's tokens among the first `wanted`:
 * states += attention(queries, keys, values) Woᵀ + bo, then
 * states += act(LayerNorm(states) W₁ᵀ + b₁) W₂ᵀ + b₂.
 */
function transform(
  plan: Plan,
  block: Block,
  wanted: i32,
  keys: usize,
  values: usize,
  thread: Thread,
): void {
  const scratch = thread.scratch;
  const target = thread.target;
  const head = thread.head;
  const T = plan.tokens;
  // The shares are those of `project`: a thread reads the queries that it wrote.
  const start = min(wanted, shareOf(thread.index, thread.count, T));
  const end = min(wanted, shareOf(thread.index + 1, thread.count, T));
  const size = blockSize(end - start, plan.blockRows);
  const headBytes: usize = 4 * plan.headSize * ((T + 7) & -8);
  const x = scratch.normal;
  const stride = scratch.normalStride;
  const hidden = scratch.hidden;
  const hiddenStride = scratch.hiddenStride;
  for (let row = start; row < end; row += size) {
    const rows = min(size, end - row);
    const states = plan.states + row * plan.stateStride;
    head.rows = rows;
    for (let h = 0; h < plan.heads; h++) {
      head.queries = plan.queries + row * plan.queryStride + 4 * h * plan.headSize;
      head.keys = keys + h * headBytes;
      head.values = values + h * headBytes;
      head.out = x + 4 * h * plan.headSize;
      head.probabilities = plan.attentions ? plan.attentions + 4 * (h * T + row) * T : 0;
      if (block.query.dtype == DType.I8) attentionI8(head, scratch);
      else attention(head, scratch);
    }
    linear(block.attentionOutput, x, stride, rows, put(target, OutputKind.ADDED, states, plan.stateStride), scratch, false);
    const up = block.intermediate;
    const isQuantized = up.dtype == DType.I8;
    normalize(plan, row, rows, block.normAfterWeight, block.normAfterBias, x, stride, isQuantized ? scratch : null);
    linear(up, x, stride, rows, put(target, OutputKind.ACTIVATED, hidden, hiddenStride), scratch, isQuantized);
    linear(block.output, hidden, hiddenStride, rows, put(target, OutputKind.ADDED, states, plan.stateStride), scratch, false);
  }
}

/** output = LayerNorm(states) for the thread's share of the wanted tokens; logits = output₀ Wᵀ + b. */
function finish(plan: Plan, thread: Thread): void {
  const start = min(plan.lastTokens, shareOf(thread.index, thread.count, plan.tokens));
  const end = min(plan.lastTokens, shareOf(thread.index + 1, thread.count, plan.tokens));
  const stride = plan.stateStride;
  const output = plan.output + start * stride;
  normalize(plan, start, end - start, plan.normWeight, plan.normBias, output, stride, null);
  // With fewer tokens than threads, the first share is empty and CLS belongs to another thread.
  const classifier = plan.classifier;
  if (start == 0 && end > 0 && classifier) {
    const target = put(thread.target, OutputKind.ROWS, plan.logits, 0);
    linear(classifier, plan.output, stride, 1, target, thread.scratch, false);
  }
}

/** out = LayerNorm(states) for `rows` tokens from `row` on; also quantises them into a given scratch. */
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

/** Sets the destination of the next outputs. */
function put(target: Target, kind: OutputKind, data: usize, stride: i32): Target {
  target.kind = kind;
  target.data = data;
  target.stride = stride;
  return target;
}
