/** A LayerNorm's weight and bias. */
export interface LayerNorm {
  /** [D] */
  readonly weight: Float32Array;
  /** [D] */
  readonly bias: Float32Array;
}

/** A weight that is smaller than this share of the largest has left nothing of its channel. */
const MIN_SHARE = 1e-6;

/** What undoes a LayerNorm's weights: `1 / w`, [D]; 0 for a channel of which nothing is left. */
export function inverseWeights({ weight }: LayerNorm): Float32Array {
  const largest = weight.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
  return weight.map((w) => Math.abs(w) > MIN_SHARE * largest ? 1 / w : 0);
}
