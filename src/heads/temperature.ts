import { type Matrix, rowOf } from "./matrix.ts";

/** Between these a temperature is looked for. */
const [MIN, MAX] = [1e-3, 1e3];
const STEPS = 60;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * The temperature T that makes probabilities `softmax(z / T)` as likely as possible for the classes
 * that were right (Guo et al., On Calibration of Modern Neural Networks, 2017): a minimum of
 * {@linkcode negativeLogLikelihood}, which has one minimum over 1 / T, found by the golden section.
 *
 * @param logits [n, K], of samples that the model was not fitted on.
 * @param weights [n], how much each one counts.
 * @returns T, from 0.001 to 1000.
 */
export function fitTemperature(
  logits: Matrix,
  classes: readonly number[],
  weights: readonly number[],
): number {
  const lossAt = (log: number) => negativeLogLikelihood(logits, classes, weights, Math.exp(log));
  let [low, high] = [Math.log(MIN), Math.log(MAX)];
  let [left, right] = [high - GOLDEN_RATIO * (high - low), low + GOLDEN_RATIO * (high - low)];
  let [leftLoss, rightLoss] = [lossAt(left), lossAt(right)];
  for (let step = 0; step < STEPS; step++) {
    if (leftLoss <= rightLoss) {
      [high, right, rightLoss] = [right, left, leftLoss];
      left = high - GOLDEN_RATIO * (high - low);
      leftLoss = lossAt(left);
    } else {
      [low, left, leftLoss] = [left, right, rightLoss];
      right = low + GOLDEN_RATIO * (high - low);
      rightLoss = lossAt(right);
    }
  }
  return Math.exp((low + high) / 2);
}

/** The weighted mean of `log Σ exp(z / T) - z_class / T`. */
export function negativeLogLikelihood(
  logits: Matrix,
  classes: readonly number[],
  weights: readonly number[],
  temperature = 1,
): number {
  let [loss, total] = [0, 0];
  for (let i = 0; i < logits.rows; i++) {
    const row = rowOf(logits, i);
    const max = row.reduce((a, z) => Math.max(a, z), -Infinity);
    const sum = row.reduce((a, z) => a + Math.exp((z - max) / temperature), 0);
    loss += weights[i]! * (Math.log(sum) - (row[classes[i]!]! - max) / temperature);
    total += weights[i]!;
  }
  return loss / total;
}
