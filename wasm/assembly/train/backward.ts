// The backward of training, block by block from the last to the lowest that learns. LayerNorms,
// activations and attention's probabilities are computed again from what the forward kept.

import { activateBackward } from "../kernels/backward/activation";
import { attentionBackward } from "../kernels/backward/attention";
import { layerNormBackward } from "../kernels/backward/layer_norm";
import { computeLoss } from "../kernels/loss";
import { factorsOf, normalize, outputOf, trainForward } from "./forward";
import { embedBackward } from "./embeddings";
import { blockOf, TrainedBlock, TrainedNorm, TrainPlan } from "./plan";
import { addTo, gatherRows, inputGradient, padded, parameterGradients, scaleRows } from "./rows";

/**
 * Computes images `start` to `end` - 1 of the batch, a chunk at a time: their loss, and the gradients of all
 * parameters that learn.
 *
 * @returns the sum of their losses
 */
export function trainGradients(plan: TrainPlan, start: i32, end: i32): f64 {
  memory.fill(plan.gradients, 0, plan.gradientBytes);
  let loss: f64 = 0;
  for (let i = start; i < end; i += plan.chunk) {
    plan.start = i;
    plan.images = min(plan.chunk, end - i);
    trainForward(plan, plan.layers);
    loss += lossOf(plan);
    backward(plan);
  }
  return loss;
}

/**
 * Adds the gradients of all parameters of images `start` to `end` - 1 of the batch, of those of CLS after the final
 * LayerNorm in `dOutput`.
 *
 * @param isKept whether the plan's last forward was of these images, at most a chunk; else they are computed again
 */
export function trainBackward(plan: TrainPlan, start: i32, end: i32, isKept: bool): void {
  for (let i = start; i < end; i += plan.chunk) {
    if (!isKept) {
      plan.start = i;
      plan.images = min(plan.chunk, end - i);
      trainForward(plan, plan.layers);
    }
    memory.copy(plan.dBranch, plan.dOutput + i * plan.stateStride, plan.images * plan.stateStride);
    backwardFromOutput(plan);
  }
}

/** The loss of the chunk's images; also computes the gradients of their logits. */
function lossOf(plan: TrainPlan): f64 {
  let loss: f64 = 0;
  for (let image = plan.start; image < plan.start + plan.images; image++) {
    loss += computeLoss(
      plan.loss,
      plan.logits + image * plan.logitStride,
      plan.targets + 4 * image * plan.labels,
      plan.positive,
      plan.labels,
      plan.lossFactor,
      plan.dLogits + image * plan.logitStride,
    );
  }
  return loss;
}

/** Adds the gradients of all parameters that learn, of those of the logits. */
function backward(plan: TrainPlan): void {
  const n = plan.images;
  const stride = plan.stateStride;
  const dLogits = plan.dLogits + plan.start * plan.logitStride;
  parameterGradients(plan.classifier, dLogits, plan.logitStride, outputOf(plan), stride, n, plan.gradientScratch);
  if (plan.lowest == plan.layers && !plan.norm.dWeight) return;
  inputGradient(plan.classifier, dLogits, plan.logitStride, n, false, plan.dBranch, stride, plan.scratch);
  backwardFromOutput(plan);
}

/** Adds the gradients of all parameters below the classifier, of those of CLS after the final LayerNorm in `dBranch`. */
function backwardFromOutput(plan: TrainPlan): void {
  const n = plan.images;
  memory.fill(plan.dStates, 0, n * plan.stateStride);
  normBackward(plan, plan.norm, plan.last, n, plan.dBranch, plan.dStates);
  for (let i = plan.layers - 1; i >= plan.lowest; i--) backwardBlock(plan, i);
  if (plan.learnsEmbeddings) embedBackward(plan);
}

/** From the gradients of a block's outputs to those of its inputs, in `dStates`. */
function backwardBlock(plan: TrainPlan, index: i32): void {
  const block = blockOf(plan, index);
  const scratch = plan.scratch;
  const stride = plan.stateStride;
  const hiddenStride = plan.hiddenStride;
  const isLast = index == plan.layers - 1;
  const all = plan.images * plan.tokens;
  const each = isLast ? 1 : plan.tokens;
  const rows = plan.images * each;
  const width = padded(plan.width);
  const factors = factorsOf(plan, index);

  // states = middle + W₂ act(W₁ LayerNorm(middle))
  const dOut = branchGradient(plan, rows, each, factors ? factors + 4 * plan.batch : 0);
  inputGradient(block.output, dOut, stride, rows, false, plan.dHidden, hiddenStride, scratch);
  for (let row = 0; row < rows; row++) {
    const at = row * hiddenStride;
    activateBackward(plan.activation, block.hidden + at, padded(plan.hiddenWidth), plan.hidden + at, plan.dHidden + at);
  }
  parameterGradients(block.output, dOut, stride, plan.hidden, hiddenStride, rows, plan.gradientScratch);
  normalize(plan, block.normAfter, block.middle, rows, plan.normal);
  parameterGradients(block.intermediate, plan.dHidden, hiddenStride, plan.normal, stride, rows, plan.gradientScratch);
  inputGradient(block.intermediate, plan.dHidden, hiddenStride, rows, false, plan.branch, stride, scratch);
  normBackward(plan, block.normAfter, block.middle, rows, plan.branch, plan.dStates);

  // middle = input + Wₒ attention(LayerNorm(input))
  const dContextOut = branchGradient(plan, rows, each, factors);
  parameterGradients(block.attentionOutput, dContextOut, stride, block.context, stride, rows, plan.gradientScratch);
  inputGradient(block.attentionOutput, dContextOut, stride, rows, false, plan.branch, stride, scratch);
  memory.fill(plan.dKeys, 0, all * stride);
  memory.fill(plan.dValues, 0, all * stride);
  for (let image = 0; image < plan.images; image++) attendBackward(plan, block, image, each);

  normalize(plan, block.normBefore, block.input, all, plan.normal);
  parameterGradients(block.key, plan.dKeys, stride, plan.normal, stride, all, plan.gradientScratch);
  parameterGradients(block.value, plan.dValues, stride, plan.normal, stride, all, plan.gradientScratch);
  if (isLast) {
    gatherRows(plan.normal, stride, rows, plan.tokens, 4 * width, plan.branch);
    parameterGradients(block.query, plan.dQueries, stride, plan.branch, stride, rows, plan.gradientScratch);
  } else parameterGradients(block.query, plan.dQueries, stride, plan.normal, stride, rows, plan.gradientScratch);
  const goesOn = index > plan.lowest || plan.learnsEmbeddings;
  if (!goesOn && !block.normBefore.dWeight) return;
  inputGradient(block.key, plan.dKeys, stride, all, false, plan.branch, stride, scratch);
  inputGradient(block.value, plan.dValues, stride, all, true, plan.branch, stride, scratch);
  if (isLast) {
    inputGradient(block.query, plan.dQueries, stride, rows, false, plan.dBranch, stride, scratch);
    scatterRows(plan, plan.dBranch, rows, plan.branch);
    // The residual of CLS; all other tokens have none.
    memory.copy(plan.dBranch, plan.dStates, rows * stride);
    memory.fill(plan.dStates, 0, all * stride);
    scatterRows(plan, plan.dBranch, rows, plan.dStates);
  } else inputGradient(block.query, plan.dQueries, stride, rows, true, plan.branch, stride, scratch);
  normBackward(plan, block.normBefore, block.input, all, plan.branch, plan.dStates);
}

/** The gradients of a branch's outputs: those of the states, times the images' factors if there are any. */
function branchGradient(plan: TrainPlan, rows: i32, each: i32, factors: usize): usize {
  if (!factors) return plan.dStates;
  scaleRows(plan.dStates, plan.stateStride, rows, each, padded(plan.width), factors, plan.dBranch);
  return plan.dBranch;
}

/** The gradients of an image's queries, keys and values, of those of its context in `branch`. */
function attendBackward(plan: TrainPlan, block: TrainedBlock, image: i32, each: i32): void {
  const head = plan.headGradient;
  const stride = plan.stateStride;
  head.rows = each;
  for (let h = 0; h < plan.heads; h++) {
    const column: usize = 4 * h * plan.headSize;
    const query = image * each * stride + column;
    const token = image * plan.tokens * stride + column;
    head.queries = block.queries + query;
    head.keys = block.keys + token;
    head.values = block.values + token;
    head.dContext = plan.branch + query;
    head.dQueries = plan.dQueries + query;
    head.dKeys = plan.dKeys + token;
    head.dValues = plan.dValues + token;
    attentionBackward(head, plan.scratch);
  }
}

/** Adds rows to the CLS rows of all tokens. */
function scatterRows(plan: TrainPlan, x: usize, rows: i32, out: usize): void {
  const stride = plan.stateStride;
  for (let row = 0; row < rows; row++) {
    addTo(out + row * plan.tokens * stride, x + row * stride, plan.width);
  }
}

/** dx += the gradients of a LayerNorm's inputs, for rows `stateStride` apart; dy is overwritten. */
function normBackward(plan: TrainPlan, norm: TrainedNorm, x: usize, rows: i32, dy: usize, dx: usize): void {
  const stride = plan.stateStride;
  for (let row = 0; row < rows; row++, x += stride, dy += stride, dx += stride) {
    layerNormBackward(x, norm.weight, dy, plan.width, plan.epsilon, dx, norm.dWeight, norm.dBias);
  }
}
