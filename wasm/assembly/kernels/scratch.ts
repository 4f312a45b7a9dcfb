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
  /** f32 [Tile.STRIP_ROWS + Tile.ROWS_PAST][paddedTokens], `scoresStride` apart: attention scores. */
  scores: usize;
  scoresStride: i32;
  /** u8 [STRIP_ROWS + ROWS_PAST][paddedTokens], `numeratorsStride` apart: the softmax, quantised. */
  numerators: usize;
  numeratorsStride: i32;
  /** 8-bit [paddedTokens][headSize] each: a head's keys and values, quantised; see `attentionI8`. */
  keys: usize;
  values: usize;
  /** f32 [paddedTokens] and f32 [headSize]: the scale of each key and of each channel of the values. */
  keyScale: usize;
  valueScale: usize;
  /** f32 [2][inputs][8]: panels of f16 weights, widened. */
  panels: usize;
  /** f32 [Tile.STRIP_ROWS + Tile.ROWS_PAST][16] */
  tile: usize;
  /** i32: grows while the thread works, for the host's watchdog. */
  progress: usize;
}
