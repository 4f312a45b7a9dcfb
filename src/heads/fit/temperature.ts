import { type Matrix, rowOf } from "../../tensor/matrix.ts";

/** The bracket of 1 / T. */
const [MIN, MAX] = [1e-3, 1e3];
const MAX_STEPS = 50;
/** The relative change of 1 / T at which to stop. */
const TOLERANCE = 1e-4;

/**
 * Fits the temperature T of `softmax(z / T)` by maximum likelihood (Guo et al., On Calibration of Modern
 * Neural Networks, 2017): minimises {@linkcode negativeLogLikelihood}, which is convex in 1 / T, by Newton's
 * method with a bracket. As in Platt scaling, targets are smoothed by `ε = 1 / (n + 2)`, so that a few images
 * that are all classified correctly do not drive scores to 100 %.
 *
 * @param logits [n, K], of samples that the model was not fitted on.
 * @param classes [n], the true classes.
 * @param weights [n], the weights of the samples.
 * @returns T, from 0.001 to 1000.
 */
export function fitTemperature(
  logits: Matrix,
  classes: readonly number[],
  weights: readonly number[],
): number {
  const smoothing = 1 / (logits.rows + 2);
  let [low, high, inverse] = [MIN, MAX, 1];
  for (let step = 0; step < MAX_STEPS; step++) {
    const { slope, curvature } = likelihoodAt(logits, classes, weights, inverse, smoothing);
    if (slope > 0) high = inverse;
    else low = inverse;
    const newton = inverse - slope / curvature;
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    const change = Math.abs(next - inverse);
    inverse = next;
    if (change <= TOLERANCE * inverse) break;
  }
  return 1 / inverse;
}

/**
 * Finds the temperature at which the best label's mean probability is `confidence`.
 *
 * @param logits [n, K]
 * @param confidence above 1 / K and below 1.
 * @returns T, from 0.001 to 1000; 1 if no temperature reaches the confidence, as with equal logits.
 */
export function temperatureOfConfidence(logits: Matrix, confidence: number): number {
  let [low, high] = [1 / MAX, 1 / MIN];
  if (meanConfidence(logits, low) < confidence) return 1;
  while (high / low > 1 + TOLERANCE) {
    const middle = Math.sqrt(low * high);
    if (meanConfidence(logits, middle) > confidence) low = middle;
    else high = middle;
  }
  return low;
}

/** The mean probability of the best label. */
function meanConfidence(logits: Matrix, temperature: number): number {
  let sum = 0;
  for (let i = 0; i < logits.rows; i++) {
    const row = rowOf(logits, i);
    const max = row.reduce((a, z) => Math.max(a, z), -Infinity);
    sum += 1 / row.reduce((all, z) => all + Math.exp((z - max) / temperature), 0);
  }
  return sum / logits.rows;
}

/**
 * The weighted mean of `log Σ exp(z / T) - z_class / T`.
 *
 * @param smoothing ε, the share of each target that is spread evenly over all classes.
 */
export function negativeLogLikelihood(
  logits: Matrix,
  classes: readonly number[],
  weights: readonly number[],
  temperature = 1,
  smoothing = 0,
): number {
  return likelihoodAt(logits, classes, weights, 1 / temperature, smoothing).loss;
}

/** The weighted mean loss at 1 / T, and its first two derivatives with respect to 1 / T. */
function likelihoodAt(
  logits: Matrix,
  classes: readonly number[],
  weights: readonly number[],
  inverse: number,
  smoothing: number,
): { loss: number; slope: number; curvature: number } {
  let [loss, slope, curvature, total] = [0, 0, 0, 0];
  for (let i = 0; i < logits.rows; i++) {
    const row = rowOf(logits, i);
    let max = -Infinity;
    for (let j = 0; j < row.length; j++) max = Math.max(max, row[j]!);
    let [sum, first, second, all] = [0, 0, 0, 0]; // sums of e = exp(z / T), z e, z² e and z, after z -= max
    for (let j = 0; j < row.length; j++) {
      const z = row[j]! - max;
      const e = Math.exp(z * inverse);
      sum += e;
      all += z;
      first += z * e;
      second += z * z * e;
    }
    const own = (1 - smoothing) * (row[classes[i]!]! - max) + smoothing * all / row.length;
    const mean = first / sum;
    loss += weights[i]! * (Math.log(sum) - own * inverse);
    slope += weights[i]! * (mean - own);
    curvature += weights[i]! * (second / sum - mean * mean);
    total += weights[i]!;
  }
  return { loss: loss / total, slope: slope / total, curvature: curvature / total };
}
