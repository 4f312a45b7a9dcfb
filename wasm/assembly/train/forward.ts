// The forward of training: it keeps what the backward needs. Only CLS leaves the last block, so that there
// all but keys and values have one row an image.

import { activate } from "../kernels/activation";
import { attention } from "../kernels/attention";
import { layerNorm } from "../kernels/layer_norm";
import { packColumns, packRows } from "../kernels/panels";
import { Tile } from "../kernels/simd";
import { embed } from "./embeddings";
import { blockOf, TrainedBlock, TrainedNorm, TrainPlan } from "./plan";
import { addBranch, applyLinear, gatherRows, padded } from "./rows";

/** Computes images `start` to `end` - 1 of the batch up to the logits, a chunk at a time. */
export function trainLogits(plan: TrainPlan, start: i32, end: i32): void {
  for (let i = start; i < end; i += plan.chunk) {
    plan.start = i;
    plan.images = min(plan.chunk, end - i);
    trainForward(plan, plan.layers);
  }
}

/**
 * Computes images `start` to `end` - 1 of the batch up to the inputs of a block below the last.
 *
 * @param out f32 [batch][T][D], contiguous
 */
export function trainStates(plan: TrainPlan, start: i32, end: i32, block: i32, out: usize): void {
  const bytes: usize = 4 * plan.width;
  for (let i = start; i < end; i += plan.chunk) {
    plan.start = i;
    plan.images = min(plan.chunk, end - i);
    trainForward(plan, block);
    const from = blockOf(plan, block).input;
    const to = out + i * plan.tokens * bytes;
    for (let row = 0; row < plan.images * plan.tokens; row++) {
      memory.copy(to + row * bytes, from + row * plan.stateStride, bytes);
    }
  }
}

/**
 * Computes the blocks from `plan.first` up to `end`; at the last one, also CLS and the logits.
 *
 * @param end at most `plan.layers`; the states are then the input of block `end`
 */
export function trainForward(plan: TrainPlan, end: i32): void {
  if (plan.first == 0) embed(plan);
  else readInputs(plan);
  for (let i = plan.first; i < end; i++) forwardBlock(plan, i);
  if (end < plan.layers) return;
  const output = outputOf(plan);
  normalize(plan, plan.norm, plan.last, plan.images, output);
  if (!plan.labels) return;
  const logits = plan.logits + plan.start * plan.logitStride;
  applyLinear(plan.classifier, output, plan.stateStride, plan.images, logits, plan.logitStride, plan.scratch);
}

/** Where CLS of the chunk's images is after the final LayerNorm. */
export function outputOf(plan: TrainPlan): usize {
  return plan.output + plan.start * plan.stateStride;
}

/** The factors of a block's branches, [2][batch], from the chunk's first image on; or 0. */
export function factorsOf(plan: TrainPlan, index: i32): usize {
  return plan.branchScale ? plan.branchScale + 4 * (2 * index * plan.batch + plan.start) : 0;
}

/** Copies the inputs of block `first`. */
function readInputs(plan: TrainPlan): void {
  const bytes: usize = 4 * plan.width;
  const to = blockOf(plan, plan.first).input;
  const from = plan.inputs + plan.start * plan.tokens * bytes;
  for (let row = 0; row < plan.images * plan.tokens; row++) {
    memory.copy(to + row * plan.stateStride, from + row * bytes, bytes);
  }
}

function forwardBlock(plan: TrainPlan, index: i32): void {
  const block = blockOf(plan, index);
  const scratch = plan.scratch;
  const stride = plan.stateStride;
  const isLast = index == plan.layers - 1;
  const all = plan.images * plan.tokens;
  // Rows an image from the queries on.
  const each = isLast ? 1 : plan.tokens;
  const rows = plan.images * each;
  const width = padded(plan.width);
  const factors = factorsOf(plan, index);

  normalize(plan, block.normBefore, block.input, all, plan.normal);
  applyLinear(block.key, plan.normal, stride, all, block.keys, stride, scratch);
  applyLinear(block.value, plan.normal, stride, all, block.values, stride, scratch);
  let input = block.input;
  if (isLast) {
    gatherRows(plan.normal, stride, rows, plan.tokens, 4 * width, plan.branch);
    applyLinear(block.query, plan.branch, stride, rows, block.queries, stride, scratch);
    gatherRows(block.input, stride, rows, plan.tokens, 4 * width, plan.normal);
    input = plan.normal;
  } else applyLinear(block.query, plan.normal, stride, rows, block.queries, stride, scratch);
  for (let image = 0; image < plan.images; image++) attend(plan, block, image, each);
  applyLinear(block.attentionOutput, block.context, stride, rows, plan.branch, stride, scratch);
  addBranch(input, plan.branch, stride, rows, each, width, factors, block.middle);

  normalize(plan, block.normAfter, block.middle, rows, plan.normal);
  applyLinear(block.intermediate, plan.normal, stride, rows, block.hidden, plan.hiddenStride, scratch);
  activateRows(plan, block.hidden, rows);
  applyLinear(block.output, plan.hidden, plan.hiddenStride, rows, plan.branch, stride, scratch);
  const out = isLast ? plan.last : blockOf(plan, index + 1).input;
  addBranch(block.middle, plan.branch, stride, rows, each, width, factors ? factors + 4 * plan.batch : 0, out);
}

/** context = attention of the image's queries, head by head. */
function attend(plan: TrainPlan, block: TrainedBlock, image: i32, each: i32): void {
  const head = plan.head;
  const stride = plan.stateStride;
  const tokens = plan.tokens;
  const size = plan.headSize;
  const paddedTokens = padded(tokens);
  head.rows = each;
  for (let h = 0; h < plan.heads; h++) {
    const column: usize = 4 * h * size;
    const from = image * tokens * stride + column;
    packRows(block.keys + from, stride, tokens, size, plan.paddedHeadSize, head.keys);
    packColumns(block.values + from, stride, tokens, size, paddedTokens, head.values);
    head.queries = block.queries + image * each * stride + column;
    // Padding channels, zeros, lie on the next head's, which is written later, or behind the row.
    head.out = block.context + image * each * stride + column;
    attention(head, plan.scratch);
  }
}

/** hidden = act(x), of rows `hiddenStride` apart. */
export function activateRows(plan: TrainPlan, x: usize, rows: i32): void {
  const stride = plan.hiddenStride;
  const width = padded(plan.hiddenWidth);
  for (let row = 0; row < rows; row++) {
    const to = plan.hidden + row * stride;
    memory.copy(to, x + row * stride, 4 * width);
    activate(plan.activation, to, width / Tile.PANEL, 32);
  }
}

/** out = LayerNorm(x) for rows `stateStride` apart. */
export function normalize(plan: TrainPlan, norm: TrainedNorm, x: usize, rows: i32, out: usize): void {
  const stride = plan.stateStride;
  for (let row = 0; row < rows; row++, x += stride, out += stride) {
    layerNorm(x, norm.weight, norm.bias, out, plan.width, plan.epsilon);
  }
}
