// The module of ViT-MSN's forward: what the host calls, and the kernels that the tests call. The host
// lays out the memory and gives each thread its own scratch; nothing here allocates.

export { activate } from "./kernels/activation";
export { attention } from "./kernels/attention";
export { attentionI8 } from "./kernels/attention_i8";
export { widenHalves } from "./kernels/half";
export { layerNorm } from "./kernels/layer_norm";
export { linear } from "./kernels/linear";
export { pack } from "./kernels/pack";
export { quantizeRow } from "./kernels/quantize";
export { softmaxNumerators } from "./kernels/softmax";
export { forward } from "./vit_msn/forward";

import { Dot, hasOneInstructionDot } from "./kernels/dot";

/** The dot product of 8-bit numbers that is used, a `Dot`. */
export function dot(): i32 {
  return hasOneInstructionDot ? Dot.SINGLE : Dot.PAIRWISE;
}

/** Where the free memory begins; below it are constants. */
export function freeMemory(): usize {
  return __heap_base;
}
