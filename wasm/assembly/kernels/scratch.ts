/** A thread's private memory for a block of rows. Strides are in bytes. */
@unmanaged
export class Scratch {
  /** f32 [block rows][width], `normalStride` apart: LayerNorm's result, or the context of all heads. */
  normal: usize;
  normalStride: i32;
  /** f32 [block rows][…], `hiddenStride` apart: pixels of patches, or the hidden layer of an MLP. */
  hidden: usize;
  hiddenStride: i32;
  /** i8 [block rows][inputs], `quantizedStride` apart: the quantised input of a linear layer. */
  quantized: usize;
  quantizedStride: i32;
  /** f32 [block rows] and i32 [block rows]: the scale and start of each quantised row; see `quantizeRow`. */
  rowScale: usize;
  rowStart: usize;
  /** f32 [Tile.STRIP_ROWS + Tile.ROWS_PAST][paddedTokens], `scoresStride` apart: attention scores. */
  scores: usize;
  scoresStride: i32;
  /** u8 [STRIP_ROWS + ROWS_PAST][paddedTokens], `numeratorsStride` apart: quantised softmax. */
  numerators: usize;
  numeratorsStride: i32;
  /** 8-bit [paddedTokens][headSize] each: a head's keys and values, quantised; see `attentionI8`. */
  keys: usize;
  values: usize;
  /** f32 [paddedTokens] and f32 [headSize]: the scale of each key and of each channel of the values. */
  keyScale: usize;
  valueScale: usize;
  /** f32 [headSize]: the mean of each channel of the values. */
  valueMean: usize;
  /** f32 [inputs][8] or i16 [paddedTokens][8]: a panel of f16 weights or of 8 bits, widened. */
  panel: usize;
  /** f32 [Tile.STRIP_ROWS + Tile.ROWS_PAST][8] */
  tile: usize;
  /** i32: a counter that grows while the thread works; the host's watchdog reads it. */
  progress: usize;
}
