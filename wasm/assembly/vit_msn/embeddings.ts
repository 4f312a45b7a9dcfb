import { linear } from "../kernels/linear";
import { OutputKind } from "../kernels/target";
import { Plan } from "./plan";
import { Thread } from "./thread";

/**
 * Embeds `rows` tokens from token `row` on: states = (CLS or patch · Wᵀ + b) + position. CLS is token 0. The
 * mask token replaces masked patches.
 */
export function embedTokens(plan: Plan, row: i32, rows: i32, thread: Thread): void {
  const scratch = thread.scratch;
  const target = thread.target;
  const states = plan.states + row * plan.stateStride;
  const bytes: usize = 4 * plan.width;
  for (let r = 0; r < rows; r++) {
    const state = states + r * plan.stateStride;
    const pixels = scratch.hidden + r * scratch.hiddenStride;
    if (row + r == 0) {
      addRows(plan.cls, plan.positions, plan.width, state);
      continue;
    }
    const patch = patchOf(plan, row + r);
    memory.copy(state, plan.positions + (patch + 1) * bytes, bytes);
    gatherPatch(plan, patch, pixels);
  }
  // CLS has no pixels: the projection starts at the row after it.
  const skipped = row == 0 ? 1 : 0;
  target.kind = OutputKind.ADDED;
  target.data = states + skipped * plan.stateStride;
  target.stride = plan.stateStride;
  const pixels = scratch.hidden + skipped * scratch.hiddenStride;
  linear(plan.patchEmbeddings, pixels, scratch.hiddenStride, rows - skipped, target, scratch, false);
  if (!plan.mask) return;
  for (let r = skipped; r < rows; r++) {
    const patch = patchOf(plan, row + r);
    if (!load<u8>(plan.mask + patch)) continue;
    addRows(
      plan.maskToken,
      plan.positions + (patch + 1) * bytes,
      plan.width,
      states + r * plan.stateStride,
    );
  }
}

/** The patch of a token after CLS. */
function patchOf(plan: Plan, token: i32): i32 {
  return load<i32>(plan.patches + 4 * (token - 1));
}

/** out = a + b, f32 [width] each */
function addRows(a: usize, b: usize, width: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>(4 * width); i += 4) {
    store<f32>(out + i, load<f32>(a + i) + load<f32>(b + i));
  }
}

/** Copies a patch's pixels: out f32 [C][patchHeight][patchWidth]. */
function gatherPatch(plan: Plan, patch: i32, out: usize): void {
  const columns = plan.imageWidth / plan.patchWidth;
  const bytes: usize = 4 * plan.patchWidth;
  let from = plan.pixels +
    4 * (patch / columns * plan.patchHeight * plan.imageWidth + patch % columns * plan.patchWidth);
  for (let c = 0; c < plan.channels; c++) {
    for (let y = 0; y < plan.patchHeight; y++, out += bytes) {
      memory.copy(out, from + 4 * y * plan.imageWidth, bytes);
    }
    from += 4 * plan.imageHeight * plan.imageWidth;
  }
}
