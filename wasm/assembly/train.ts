// The module of training: the functions that the host calls, and the kernels that the tests call. The host
// lays out the memory and gives each thread a plan of its own; the module allocates nothing.

export { activateBackward } from "./kernels/backward/activation";
export { attentionBackward } from "./kernels/backward/attention";
export { batchNormBackward } from "./kernels/backward/batch_norm";
export { layerNormBackward } from "./kernels/backward/layer_norm";
export { batchNorm, batchStatistics } from "./kernels/batch_norm";
export { l2Normalize, l2NormalizeBackward } from "./kernels/l2_normalize";
export { computeLoss } from "./kernels/loss";
export { msnLoss } from "./kernels/msn_loss";
export { packColumns, packRows } from "./kernels/panels";
export { product } from "./kernels/product";
export { accumulateOuter } from "./kernels/tile/outer";
export { stepAdamW } from "./optimizer/adamw";
export { reduceGradients } from "./optimizer/gradient";
export { loraGradients, mergeLora } from "./optimizer/lora";
export { trainBackward, trainGradients } from "./train/backward";
export { trainLogits, trainStates } from "./train/forward";
export { activateColumns, activateColumnsBackward, applyRows, inputGradientRows } from "./train/projection";
export { repack } from "./train/repack";
export { outputGradients } from "./train/rows";

/** The first free byte of the memory; constants lie below it. */
export function freeMemory(): usize {
  return __heap_base;
}

/** Sets a piece of memory to 0. */
export function clear(place: usize, bytes: usize): void {
  memory.fill(place, 0, bytes);
}
