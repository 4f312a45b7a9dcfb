// The kernels of ViT-MSN's forward, and what the host calls of them. The host lays out the memory and
// gives each thread its own scratch; nothing here allocates.

export { activate } from "./kernels/activation";
export { attention, softmaxNumerators } from "./kernels/attention";
export { forward } from "./vit_msn/forward";
export { layerNorm } from "./kernels/layer_norm";
export { linear, widenHalves } from "./kernels/linear";
export { pack } from "./kernels/pack";
export { quantizeRow } from "./kernels/quantize";

import { TILE_ROWS } from "./kernels/simd";

/** Rows of a tile in this build; what is read and written comes in whole tiles. */
export function tileRows(): i32 {
  return TILE_ROWS;
}

/** Where the memory begins that is free; below are constants. */
export function freeMemory(): usize {
  return __heap_base;
}
