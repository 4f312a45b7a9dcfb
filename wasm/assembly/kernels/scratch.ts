/** Memory that a thread has to itself while it works on a block of rows. Strides are bytes. */
@unmanaged
export class Scratch {
  /** f32 [block rows][width], `normalStride` apart: rows after LayerNorm, or heads' contexts. */
  normal: usize;
  normalStride: i32;
  /** f32 [block rows][…], `hiddenStride` apart: pixels of patches, or an MLP's hidden layer. */
  hidden: usize;
  hiddenStride: i32;
  /** i8 [block rows][inputs], `quantizedStride` apart: a linear layer's input, quantised. */
  quantized: usize;
  quantizedStride: i32;
  /** f32 [block rows] and i32 [block rows]: of each row its scale and start; see `quantizeRow`. */
  rowScale: usize;
  rowStart: usize;
  /** f32 [TILE_ROWS][paddedTokens], `scoresStride` apart: attention scores. */
  scores: usize;
  scoresStride: i32;
  /** f32 [inputs][8]: a panel of f16 weights, widened. */
  panel: usize;
  /** f32 [TILE_ROWS][8] */
  tile: usize;
  /** i32: grows while the thread works, for the host's watchdog. */
  progress: usize;
}
