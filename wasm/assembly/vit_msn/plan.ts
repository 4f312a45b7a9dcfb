import { Linear } from "../kernels/linear";
import { Barrier } from "./barrier";

/** A model and the activations of one image. Strides are in bytes; 0 stands for null. */
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
  /** T or 1: the tokens that the last block computes. */
  lastTokens: i32;

  /** f32 [C][height][width] */
  pixels: usize;
  channels: i32;
  imageHeight: i32;
  imageWidth: i32;
  patchHeight: i32;
  patchWidth: i32;
  /** i32 [T - 1]: the patch of each token after CLS. */
  patches: usize;
  /** u8 [N]: 1 where the mask token replaces the patch; or 0. */
  mask: usize;
  /** f32 [D]; 0 without a mask. */
  maskToken: usize;
  /** f32 [D] */
  cls: usize;
  /** f32 [1 + N][D] */
  positions: usize;
  patchEmbeddings: Linear;

  /** Block [layers] */
  blocks: usize;
  /** The final LayerNorm, f32 [D] each. */
  normWeight: usize;
  normBias: usize;
  /** Null if no logits are wanted. */
  classifier: Linear | null;

  /** f32 [T][D], `stateStride` apart: the hidden states, and the result of the final LayerNorm. */
  states: usize;
  output: usize;
  stateStride: i32;
  /** f32 [T][heads][headSize], `queryStride` apart. */
  queries: usize;
  queryStride: i32;
  /** [2]: keys and values of all heads, for even and for odd blocks; see `Head`. */
  keys: usize;
  values: usize;
  /** Bytes of one block's keys, and of its values. */
  keyBytes: i32;
  /** f32 [heads][T][T], or 0. */
  attentions: usize;
  /** f32 [labels], padded to a multiple of 8. */
  logits: usize;
  barrier: Barrier;
}

/** The weights of one block; LayerNorm parameters are f32 [D]. */
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
