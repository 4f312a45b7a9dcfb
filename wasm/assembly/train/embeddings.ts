import { addTo, applyLinear, parameterGradients } from "./rows";
import { blockOf, TrainPlan } from "./plan";

/** states = (CLS or patch · Wᵀ + b) + position; the mask token replaces masked patches. */
export function embed(plan: TrainPlan): void {
  const rows = plan.images * plan.tokens;
  const states = blockOf(plan, 0).input;
  const stride = plan.stateStride;
  gatherPatches(plan);
  applyLinear(plan.patchEmbeddings, plan.hidden, plan.hiddenStride, rows, states, stride, plan.scratch);
  const bytes: usize = 4 * plan.width;
  for (let row = 0; row < rows; row++) {
    const state = states + row * stride;
    const position = positionOf(plan, row);
    if (position == 0) memory.copy(state, plan.cls, bytes);
    else if (isMasked(plan, row)) memory.copy(state, plan.maskToken, bytes);
    addTo(state, plan.positions + position * bytes, plan.width);
  }
}

/** Adds the gradients of the embeddings' parameters, of those of the states. */
export function embedBackward(plan: TrainPlan): void {
  const rows = plan.images * plan.tokens;
  const stride = plan.stateStride;
  const bytes: usize = 4 * plan.width;
  gatherPatches(plan);
  for (let row = 0; row < rows; row++) {
    const d = plan.dStates + row * stride;
    const position = positionOf(plan, row);
    if (plan.dPositions) addTo(plan.dPositions + position * bytes, d, plan.width);
    if (position == 0) {
      if (plan.dCls) addTo(plan.dCls, d, plan.width);
    } else if (isMasked(plan, row)) {
      if (plan.dMaskToken) addTo(plan.dMaskToken, d, plan.width);
    } else continue;
    memory.fill(d, 0, bytes); // no gradient goes to the projection
  }
  parameterGradients(plan.patchEmbeddings, plan.dStates, stride, plan.hidden, plan.hiddenStride, rows, plan.gradientScratch);
}

/** The position of a token: 0 for CLS, else its patch + 1. */
function positionOf(plan: TrainPlan, row: i32): i32 {
  const token = row % plan.tokens;
  if (token == 0) return 0;
  const image = plan.start + row / plan.tokens;
  return load<i32>(plan.patches + 4 * (image * (plan.tokens - 1) + token - 1)) + 1;
}

function isMasked(plan: TrainPlan, row: i32): bool {
  if (!plan.mask) return false;
  const patch = positionOf(plan, row) - 1;
  return load<u8>(plan.mask + (plan.start + row / plan.tokens) * plan.patchCount + patch) != 0;
}

/** hidden [n · T][C][patchHeight][patchWidth] = the pixels of each token's patch; zeros for CLS. */
function gatherPatches(plan: TrainPlan): void {
  const rows = plan.images * plan.tokens;
  const columns = plan.imageWidth / plan.patchWidth;
  const bytes: usize = 4 * plan.patchWidth;
  const channelBytes: usize = 4 * plan.imageHeight * plan.imageWidth;
  for (let row = 0; row < rows; row++) {
    let to = plan.hidden + row * plan.hiddenStride;
    const patch = positionOf(plan, row) - 1;
    if (patch < 0) {
      memory.fill(to, 0, plan.channels * plan.patchHeight * bytes);
      continue;
    }
    let from = plan.pixels + (plan.start + row / plan.tokens) * plan.channels * channelBytes +
      4 * (patch / columns * plan.patchHeight * plan.imageWidth + patch % columns * plan.patchWidth);
    for (let c = 0; c < plan.channels; c++, from += channelBytes) {
      for (let y = 0; y < plan.patchHeight; y++, to += bytes) {
        memory.copy(to, from + 4 * y * plan.imageWidth, bytes);
      }
    }
  }
}
