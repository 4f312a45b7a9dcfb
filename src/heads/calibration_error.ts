import { softmax } from "../tensor/softmax.ts";

/** A range of scores, and what came of the images whose best label's score was in it. */
export interface ReliabilityBin {
  /** From the lower bound, not included but for 0, to the upper one. */
  readonly range: readonly [number, number];
  /** How many images. */
  readonly count: number;
  /** The mean score; 0 if there are no images. */
  readonly confidence: number;
  /** The share that was right; 0 if there are no images. */
  readonly accuracy: number;
}

/** The usual number of bins (Guo et al., 2017). */
const BINS = 15;

/**
 * How scores and right answers go together: images in 15 bins by their best label's probability.
 *
 * @param logits n rows [K].
 * @param classes n indices of what was right.
 */
export function reliabilityOf(
  logits: readonly ArrayLike<number>[],
  classes: readonly number[],
): ReliabilityBin[] {
  const sums = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  logits.forEach((row, i) => {
    const probabilities = softmax(row);
    const best = probabilities.indexOf(Math.max(...probabilities));
    const confidence = probabilities[best]!;
    const sum = sums[Math.max(0, Math.ceil(confidence * BINS) - 1)]!;
    sum.count++;
    sum.confidence += confidence;
    if (best === classes[i]) sum.right++;
  });
  return sums.map(({ count, confidence, right }, bin) => ({
    range: [bin / BINS, (bin + 1) / BINS],
    count,
    confidence: count === 0 ? 0 : confidence / count,
    accuracy: count === 0 ? 0 : right / count,
  }));
}

/**
 * The expected calibration error: the mean difference of score and share of right answers over the bins of
 * {@linkcode reliabilityOf}, `Σ (count / n) |accuracy - confidence|`; 0 to 1, 0 if there are no images.
 */
export function expectedCalibrationError(
  logits: readonly ArrayLike<number>[],
  classes: readonly number[],
): number {
  return reliabilityOf(logits, classes).reduce(
    (sum, { count, accuracy, confidence }) =>
      sum + count * Math.abs(accuracy - confidence) / Math.max(1, logits.length),
    0,
  );
}
