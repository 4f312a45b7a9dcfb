import type { Guessing } from "../heads/guessing.ts";
import { percent } from "./percent.ts";

/** A few right answers of a few photos are as likely a good classifier's as a guesser's. */
const LIKELY_GOOD = 0.25;

/**
 * Says in a sentence that a classifier is no better than guessing, and what would help.
 *
 * @param photos which ones it was asked for, such as `the photos left out`.
 * @returns nothing if it is better.
 */
export function guessingText(
  { accuracy, confidenceInterval, chance, count, isBetter }: Guessing,
  photos: string,
): string | undefined {
  if (isBetter) return undefined;
  const [low, high] = confidenceInterval.map(percent);
  // The share right of what guessing leaves to be had.
  const isTooFew = chance < 1 && (accuracy - chance) / (1 - chance) >= LIKELY_GOOD;
  const verdict = isTooFew
    ? `${count} photos are too few to tell this classifier from guessing`
    : "this classifier is no better than guessing";
  return `${verdict}: of ${photos} it names ${
    percent(accuracy)
  } right (95 %: ${low} to ${high}), ` +
    `and guessing ${
      percent(chance)
    }; more photos a class would help, or a larger backbone (--model)`;
}

/** The comparison with guessing for other programs. */
export function guessingJson(
  { accuracy, confidenceInterval, chance, isBetter }: Guessing,
): Record<string, unknown> {
  return {
    accuracy,
    confidence_interval: confidenceInterval,
    chance,
    better_than_guessing: isBetter,
  };
}
