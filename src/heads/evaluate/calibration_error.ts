import { softmax } from "../../tensor/softmax.ts";

/** A bin of a reliability diagram: the images whose best label's score lies in a range. */
export interface ReliabilityBin {
  /** (lower, upper]; the first bin includes 0. */
  readonly range: readonly [number, number];
  /** The number of images. */
  readonly count: number;
  /** The mean score; 0 in an empty bin. */
  readonly confidence: number;
  /** The share of images whose best label is correct; 0 in an empty bin. */
  readonly accuracy: number;
}

/** The usual number of bins (Guo et al., 2017). */
const BINS = 15;

/**
 * The reliability diagram: the images in 15 bins of equal width by their best label's probability.
 *
 * @param logits n rows [K].
 * @param classes [n], the index of each image's true class.
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
 * The expected calibration error over the bins of {@linkcode reliabilityOf}:
 * `Σ (count / n) |accuracy - confidence|`, from 0 to 1; 0 without images.
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
