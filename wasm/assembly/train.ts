// The module of training: the functions that the host calls, and the kernels that the tests call. The host
// lays out the memory and gives each thread a plan of its own; the module allocates nothing.

export { activateBackward } from "./kernels/backward/activation";
export { attentionBackward } from "./kernels/backward/attention";
export { layerNormBackward } from "./kernels/backward/layer_norm";
export { computeLoss } from "./kernels/loss";
export { packColumns, packRows } from "./kernels/panels";
export { product } from "./kernels/product";
export { accumulateOuter } from "./kernels/tile/outer";
export { stepAdamW } from "./optimizer/adamw";
export { reduceGradients } from "./optimizer/gradient";
export { loraGradients, mergeLora } from "./optimizer/lora";
export { trainGradients } from "./train/backward";
export { trainLogits, trainStates } from "./train/forward";
export { repack } from "./train/repack";

/** The first free byte of the memory; constants lie below it. */
export function freeMemory(): usize {
  return __heap_base;
}
