import { type ConfidenceInterval, wilsonInterval } from "./confidence_interval.ts";

/** The comparison of a classifier with answers that do not look at the image. */
export interface GuessingComparison {
  /** The number of different images; with unequal weights, the effective sample size. */
  readonly count: number;
  /** The weighted share of correct answers. */
  readonly accuracy: number;
  /** The 95 % Wilson score interval of the accuracy. */
  readonly confidenceInterval: ConfidenceInterval;
  /**
   * The accuracy of guessing: answers in the classifier's own proportions, but independent of the image;
   * at least 1 / K.
   */
  readonly chance: number;
  /** Whether the accuracy is significantly above `chance`, by a one-sided binomial test. */
  readonly isBetter: boolean;
}

/** The significance level of the test. */
const SIGNIFICANCE = 0.05;
/**
 * The level for the best of several classifiers, which is stricter because choosing the best also chooses
 * the luckiest: on random labels, the best of `fitHead`'s twelve then passes about one time in twenty.
 */
const SIGNIFICANCE_OF_BEST = 0.005;

/** One answer of a classifier. */
export interface Answer {
  /** The index of the predicted class; -1 if several classes tie. */
  readonly guess: number;
  /** The index of the true class. */
  readonly truth: number;
  /** The weight of the answer; default 1. */
  readonly weight?: number;
  /** The image's number, if several answers are for one image; default is a new image for each answer. */
  readonly image?: number;
}

/**
 * Compares a classifier with guessing.
 *
 * @param answers at least one.
 * @param classCount K
 * @param isBestOfSeveral whether the classifier was chosen by these answers; default false.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compareWithGuessing } from "./guessing.ts";
 *
 * const answers = (right: number) =>
 *   Array.from({ length: 20 }, (_, i) => ({ guess: i < right ? i % 2 : (i + 1) % 2, truth: i % 2 }));
 * assertEquals(compareWithGuessing(answers(14), 2).isBetter, false);
 * assertEquals(compareWithGuessing(answers(15), 2).isBetter, true);
 * ```
 */
export function compareWithGuessing(
  answers: readonly Answer[],
  classCount: number,
  { isBestOfSeveral = false }: { isBestOfSeveral?: boolean } = {},
): GuessingComparison {
  const guessed = Array<number>(classCount).fill(0);
  const expected = Array<number>(classCount).fill(0);
  const images = new Map<number, number>();
  let [right, total] = [0, 0];
  answers.forEach(({ guess, truth, weight = 1, image }, i) => {
    if (guess !== -1) guessed[guess]! += weight;
    expected[truth]! += weight;
    images.set(image ?? i, weight);
    total += weight;
    if (guess === truth) right += weight;
  });
  const accuracy = right / total;
  // With one true class, even a perfect classifier gives one answer only, which says nothing about guessing.
  const alike = expected.some((weight) => weight === total)
    ? 0
    : guessed.reduce((sum, share, c) => sum + share / total * expected[c]! / total, 0);
  // The tolerance absorbs the rounding of the sums.
  const chance = alike > 1 / classCount + 1e-9 ? Math.min(1, alike) : 1 / classCount;
  const count = effectiveCount([...images.values()]);
  return {
    count,
    accuracy,
    confidenceInterval: wilsonInterval(accuracy * count, count),
    chance,
    isBetter: upperTail(Math.floor(accuracy * count + 1e-6), count, chance) <
      (isBestOfSeveral ? SIGNIFICANCE_OF_BEST : SIGNIFICANCE),
  };
}

/** Kish's effective sample size `(Σ w)² / Σ w²`, rounded. */
function effectiveCount(weights: readonly number[]): number {
  const sum = weights.reduce((all, w) => all + w, 0);
  const squares = weights.reduce((all, w) => all + w * w, 0);
  return Math.max(1, Math.round(sum * sum / squares));
}

/** The probability of at least `right` successes in `n` trials with probability `p`. */
function upperTail(right: number, n: number, p: number): number {
  if (right <= 0 || p >= 1) return 1;
  let sum = 0;
  let logTerm = n * Math.log1p(-p); // log P(k = 0)
  for (let k = 0; k <= n; k++) {
    if (k >= right) sum += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, sum);
}
