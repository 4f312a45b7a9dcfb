// The module of ViT-MSN's forward: the functions that the host calls, and the kernels that the tests call.
// The host lays out the memory and gives each thread its own scratch; the module allocates nothing.

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

import { Dot, hasOneInstructionDot } from "./kernels/tile/dot";

/** The dot product in use, a `Dot`. */
export function dot(): i32 {
  return hasOneInstructionDot ? Dot.SINGLE : Dot.PAIRWISE;
}

/** The first free byte of the memory; constants lie below it. */
export function freeMemory(): usize {
  return __heap_base;
}
