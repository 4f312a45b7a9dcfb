// The kernels of ViT-MSN's forward, and what the host calls of them. The host lays out the memory and
// gives each thread its own scratch; nothing here allocates.

export { activate } from "./vit_msn/activation";
export { attention, softmaxNumerators } from "./vit_msn/attention";
export { forward } from "./vit_msn/forward";
export { layerNorm } from "./vit_msn/layer_norm";
export { linear, widenHalves } from "./vit_msn/linear";
export { pack } from "./vit_msn/pack";
export { quantizeRow } from "./vit_msn/quantize";

import { TILE_ROWS } from "./vit_msn/simd";

/** Rows of a tile in this build; what is read and written comes in whole tiles. */
export function tileRows(): i32 {
  return TILE_ROWS;
}

/** Where the memory begins that is free; below are constants. */
export function freeMemory(): usize {
  return __heap_base;
}
