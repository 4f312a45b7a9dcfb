// The module of ViT-MSN's forward: what the host calls, and the kernels that the tests call. The host
// lays out the memory and gives each thread its own scratch; nothing here allocates.

export { activate } from "./kernels/activation";
export { attention } from "./kernels/attention";
export { widenHalves } from "./kernels/half";
export { layerNorm } from "./kernels/layer_norm";
export { linear } from "./kernels/linear";
export { pack } from "./kernels/pack";
export { quantizeRow } from "./kernels/quantize";
export { softmaxNumerators } from "./kernels/softmax";
export { forward } from "./vit_msn/forward";

import { TILE_ROWS } from "./kernels/simd";

/** Rows of a tile in this build; what is read and written comes in whole tiles. */
export function tileRows(): i32 {
  return TILE_ROWS;
}

/** Where the free memory begins; below it are constants. */
export function freeMemory(): usize {
  return __heap_base;
}
