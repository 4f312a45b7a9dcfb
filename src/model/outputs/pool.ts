/** How tokens are combined into embeddings. */
export type Pooling = "cls" | "mean" | "none";

/**
 * Pools the tokens of one image into embeddings.
 *
 * @param tokens [T, D], the image's `last_hidden_state`, the CLS token first.
 * @param hiddenSize D
 * @param pooling `cls` returns the CLS token, `mean` the mean of the patch tokens, `none` every token.
 * @returns one vector [D]; for `none`, T of them.
 */
export function pool(tokens: Float32Array, hiddenSize: number, pooling: Pooling): Float32Array[] {
  const all = Array.from(
    { length: tokens.length / hiddenSize },
    (_, t) => tokens.subarray(t * hiddenSize, (t + 1) * hiddenSize),
  );
  if (pooling === "none") return all;
  const [cls, ...patches] = all;
  if (pooling === "cls") return [cls!];
  const sum = new Float64Array(hiddenSize);
  for (const patch of patches) {
    for (let d = 0; d < hiddenSize; d++) sum[d]! += patch[d]!;
  }
  return [Float32Array.from(sum, (s) => s / patches.length)];
}
