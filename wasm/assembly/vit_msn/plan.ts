import { Linear } from "../kernels/linear";
import { Barrier } from "./barrier";

/** A model and one image's activations. Strides are bytes; what may be null is 0. */
@unmanaged
export class Plan {
  /** T, with CLS. */
  tokens: i32;
  /** D */
  width: i32;
  heads: i32;
  /** Channels of a head, padded to a multiple of 8. */
  headSize: i32;
  layers: i32;
  epsilon: f32;
  /** Rows that a thread works on at a time. */
  blockRows: i32;
  /** T or 1: how many tokens are wanted of the last block. */
  lastTokens: i32;

  /** f32 [C][height][width], the image. */
  pixels: usize;
  channels: i32;
  imageHeight: i32;
  imageWidth: i32;
  patchHeight: i32;
  patchWidth: i32;
  /** i32 [T - 1]: the patch of each token after CLS. */
  patches: usize;
  /** u8 [N]: whether the mask token replaces a patch; or 0. */
  mask: usize;
  /** f32 [D]; 0 where there is no mask. */
  maskToken: usize;
  /** f32 [D] */
  cls: usize;
  /** f32 [1 + N][D] */
  positions: usize;
  patchEmbeddings: Linear;

  /** Block [layers] */
  blocks: usize;
  /** f32 [D] each: the final LayerNorm. */
  normWeight: usize;
  normBias: usize;
  /** Null where no logits are wanted. */
  classifier: Linear | null;

  /** f32 [T][D], `stateStride` apart: the tokens between blocks, and after the final LayerNorm. */
  states: usize;
  output: usize;
  stateStride: i32;
  /** f32 [T][heads][headSize], `queryStride` apart. */
  queries: usize;
  queryStride: i32;
  /** Twice the keys and twice the values of all heads, for even and odd blocks; see `Head`. */
  keys: usize;
  values: usize;
  /** Bytes of the keys of one block, and of the values. */
  keyBytes: i32;
  /** f32 [heads][T][T], or 0. */
  attentions: usize;
  /** f32 [labels], padded to a multiple of 8. */
  logits: usize;
  barrier: Barrier;
}

/** The weights of one block; those of its LayerNorms are f32 [D]. */
@unmanaged
export class Block {
  normBeforeWeight: usize;
  normBeforeBias: usize;
  query: Linear;
  key: Linear;
  value: Linear;
  attentionOutput: Linear;
  normAfterWeight: usize;
  normAfterBias: usize;
  intermediate: Linear;
  output: Linear;
}
