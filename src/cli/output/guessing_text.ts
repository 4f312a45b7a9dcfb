import type { Guessing } from "../../heads/evaluate/guessing.ts";
import { percent } from "./percent.ts";

/** A few right answers of a few photos are as likely a good classifier's as a guesser's. */
const LIKELY_GOOD = 0.25;

/** Which photos a classifier was asked for: those that a fit left out, or others. */
type Asked = "left out" | "others";

const WORDS: Readonly<Record<Asked, { photos: string; unclear: string; bad: string }>> = {
  "left out": {
    photos: "the photos left out",
    unclear: "more photos a class would help",
    bad: "more photos a class would help, or a larger backbone (--model)",
  },
  others: {
    photos: "these photos",
    unclear: "evaluate it on more photos",
    bad:
      "fit it on more photos a class, or on a larger backbone (`deno task fit PHOTOS --model …`)",
  },
};

/**
 * Says in a sentence that a classifier is no better than guessing, and what would help.
 *
 * @returns nothing if it is better.
 */
export function guessingText(
  { accuracy, confidenceInterval, chance, count, isBetter }: Guessing,
  asked: Asked,
): string | undefined {
  if (isBetter) return undefined;
  const [low, high] = confidenceInterval.map(percent);
  const { photos, unclear, bad } = WORDS[asked];
  // The share right of what guessing leaves to be had.
  const isUnclear = chance < 1 && (accuracy - chance) / (1 - chance) >= LIKELY_GOOD;
  const verdict = isUnclear
    ? `${count} photos are too few to tell this classifier from guessing`
    : "this classifier is no better than guessing";
  return `${verdict}: of ${photos} it names ${
    percent(accuracy)
  } right (95 %: ${low} to ${high}), ` +
    `and guessing ${percent(chance)}; ${isUnclear ? unclear : bad}`;
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
