/** A LayerNorm's weight and bias. */
export interface LayerNormWeights {
  /** [D] */
  readonly weight: Float32Array;
  /** [D] */
  readonly bias: Float32Array;
}

/** Below this share of the largest weight, a channel's input cannot be recovered from the output. */
const MIN_SHARE = 1e-6;

/** [D], the inverse weights `1 / w` of a LayerNorm; 0 for channels that cannot be recovered. */
export function inverseWeights({ weight }: LayerNormWeights): Float32Array {
  const largest = weight.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
  return weight.map((w) => Math.abs(w) > MIN_SHARE * largest ? 1 / w : 0);
}
