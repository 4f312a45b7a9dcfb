/** How an image's tokens are combined into its embedding. */
export type Pooling = "cls" | "mean";

/**
 * Pools the tokens of one image into its embedding.
 *
 * @param tokens [T, D], the image's `last_hidden_state`, the CLS token first.
 * @param hiddenSize D
 * @param pooling `cls` returns the CLS token, a view; `mean` the mean of the patch tokens.
 * @returns [D]
 */
export function pool(tokens: Float32Array, hiddenSize: number, pooling: Pooling): Float32Array {
  if (pooling === "cls") return tokens.subarray(0, hiddenSize);
  const sum = new Float64Array(hiddenSize);
  for (let i = hiddenSize; i < tokens.length; i++) sum[i % hiddenSize]! += tokens[i]!;
  return Float32Array.from(sum, (s) => s / (tokens.length / hiddenSize - 1));
}
