/** The losses, of one row of logits z; all are summed over rows. */
export const enum Loss {
  /** -Σ tₖ log softmax(z)ₖ, whose targets carry the weights of classes and the mean over the batch. */
  CROSS_ENTROPY,
  /** -factor Σ (wₖ yₖ log σ(zₖ) + (1 - yₖ) log(1 - σ(zₖ))) */
  BINARY_CROSS_ENTROPY,
  /** factor Σ (zₖ - yₖ)² */
  MEAN_SQUARED_ERROR,
}

/**
 * Computes the loss of a row, and its gradient:
 *
 *     cross-entropy: dz = p Σt - t · binary: dz = factor (σ(z) (1 + (w - 1) y) - w y) · squared: dz = 2 factor (z - y)
 *
 * @param logits f32 [count]
 * @param targets f32 [count]
 * @param positive f32 [count], the weights w of positive labels of the binary cross-entropy, or 0 for 1
 * @param dLogits f32 [count]
 */
export function computeLoss(
  kind: Loss,
  logits: usize,
  targets: usize,
  positive: usize,
  count: i32,
  factor: f64,
  dLogits: usize,
): f64 {
  const end: usize = 4 * count;
  let loss: f64 = 0;
  if (kind == Loss.CROSS_ENTROPY) {
    let largest: f64 = -Infinity;
    for (let i: usize = 0; i < end; i += 4) largest = max(largest, <f64>load<f32>(logits + i));
    let sum: f64 = 0, total: f64 = 0;
    for (let i: usize = 0; i < end; i += 4) {
      sum += Math.exp(<f64>load<f32>(logits + i) - largest);
      total += <f64>load<f32>(targets + i);
    }
    const log = largest + Math.log(sum);
    for (let i: usize = 0; i < end; i += 4) {
      const logP = <f64>load<f32>(logits + i) - log;
      const t: f64 = load<f32>(targets + i);
      if (t != 0) loss -= t * logP;
      store<f32>(dLogits + i, <f32>(Math.exp(logP) * total - t));
    }
    return loss;
  }
  for (let i: usize = 0; i < end; i += 4) {
    const z: f64 = load<f32>(logits + i);
    const y: f64 = load<f32>(targets + i);
    if (kind == Loss.MEAN_SQUARED_ERROR) {
      loss += factor * (z - y) * (z - y);
      store<f32>(dLogits + i, <f32>(2 * factor * (z - y)));
      continue;
    }
    const w: f64 = positive ? <f64>load<f32>(positive + i) : 1;
    // log(1 + e^(-|z|)) does not overflow: -log σ(z) = max(-z, 0) + it
    const soft = Math.log(1 + Math.exp(-Math.abs(z)));
    loss += factor * (w * y * (max(-z, 0.0) + soft) + (1 - y) * (max(z, 0.0) + soft));
    const sigma = 1 / (1 + Math.exp(-z));
    store<f32>(dLogits + i, <f32>(factor * (sigma * (1 + (w - 1) * y) - w * y)));
  }
  return loss;
}
