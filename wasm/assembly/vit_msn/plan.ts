// What the forward works on, as it lies in memory. All fields have four bytes; the host writes them in
// this order. Pointers to layers are to `Linear`.

/** A model with the images that it is about to see. */
@unmanaged
export class Plan {
  /** T, with CLS. */
  tokens: i32;
  /** D */
  width: i32;
  heads: i32;
  /** Channels of a head, padded to a multiple of 8. */
  headSize: i32;
  /** What scores are multiplied by. */
  scoreScale: f32;
  layers: i32;
  epsilon: f32;
  activation: i32;
  /** Rows that a thread works on at a time, a multiple of TILE_ROWS. */
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
  /** i32 [T - 1]: of each token the patch that it is. */
  patches: usize;
  /** u8 [N]: whether the mask token replaces a patch; or 0. */
  mask: usize;
  /** f32 [D], where there is a mask. */
  maskToken: usize;
  /** f32 [D] */
  cls: usize;
  /** f32 [1 + N][D] */
  positions: usize;
  patchEmbeddings: usize;

  /** Block [layers] */
  blocks: usize;
  /** f32 [D], the final LayerNorm. */
  normWeight: usize;
  normBias: usize;
  /** The classifier, or 0. */
  classifier: usize;

  /** f32 rows of tokens: between the blocks, and after the final LayerNorm. */
  states: usize;
  output: usize;
  stateStride: i32;
  /** f32 rows of all heads' queries. */
  queries: usize;
  queryStride: i32;
  /** Twice the keys and twice the values, for even and odd blocks; see `attention`. */
  keys: usize;
  values: usize;
  keyBytes: i32;
  /** f32 [heads][T][T], or 0. */
  attentions: usize;
  /** f32 [labels] */
  logits: usize;
  /** Meeting */
  meeting: usize;
}

/** One block. */
@unmanaged
export class Block {
  normBeforeWeight: usize;
  normBeforeBias: usize;
  query: usize;
  key: usize;
  value: usize;
  attentionOutput: usize;
  normAfterWeight: usize;
  normAfterBias: usize;
  intermediate: usize;
  output: usize;
}
