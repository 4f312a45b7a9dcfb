/** Which tokens make an image's embedding. */
export type Pooling = "cls" | "mean" | "none";

/**
 * The embeddings of one image.
 *
 * @param tokens [T, D]: `last_hidden_state` of one image, the CLS token first.
 * @param pooling `cls` takes the first token, `mean` averages all others, that is the patches, and
 * `none` takes every token.
 * @returns one vector of D numbers, or T of them for `none`.
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
