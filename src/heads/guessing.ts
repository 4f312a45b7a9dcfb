import { type Interval, wilsonInterval } from "./confidence_interval.ts";

/** How a classifier's answers compare with answers that do not look at the image. */
export interface Guessing {
  /** How many different images were asked for; weighted ones count as fewer. */
  readonly count: number;
  /** The share of right answers, weighted. */
  readonly accuracy: number;
  /** 95 %, Wilson's score interval of the accuracy. */
  readonly confidenceInterval: Interval;
  /**
   * The share that guessing gets right: that of answers in the same proportions which know nothing of
   * the image, and no less than one in K.
   */
  readonly chance: number;
  /** Whether the accuracy is above chance by more than luck: a one-sided binomial test. */
  readonly isBetter: boolean;
}

/** More right answers than guessing gets count if luck alone would bring them less often than this. */
const SIGNIFICANCE = 0.05;
/**
 * The same of the best of several classifiers, which is the luckiest one, too; on labels without meaning,
 * the best of `fitHead`'s twelve then counts as better about one time in twenty.
 */
const SIGNIFICANCE_OF_BEST = 0.005;

/** An answer of a classifier. */
export interface Answer {
  /** The index of the class that it named; -1 if it could not decide. */
  readonly guess: number;
  /** The index of the class that was right. */
  readonly truth: number;
  /** How much it counts; default 1. */
  readonly weight?: number;
  /** Which image it is of, where several answers are of one image; default is one of its own. */
  readonly image?: number;
}

/**
 * Compares a classifier with guessing.
 *
 * @param answers at least one.
 * @param classCount K
 * @param isBestOfSeveral whether the classifier was chosen by these answers; default no.
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
): Guessing {
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
  // Of images of one class, a good classifier's answers are all alike, too: nothing follows from them.
  const alike = expected.some((weight) => weight === total)
    ? 0
    : guessed.reduce((sum, share, c) => sum + share / total * expected[c]! / total, 0);
  // Sums are off by a last bit.
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

/** The probability of at least `right` successes in `n` tries of probability `p`. */
function upperTail(right: number, n: number, p: number): number {
  if (right <= 0 || p >= 1) return 1;
  let sum = 0;
  let logTerm = n * Math.log1p(-p); // of 0 successes
  for (let k = 0; k <= n; k++) {
    if (k >= right) sum += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, sum);
}
