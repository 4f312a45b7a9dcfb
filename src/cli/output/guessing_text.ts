import type { GuessingComparison } from "../../heads/evaluate/guessing.ts";
import { percent } from "../../heads/evaluate/percent.ts";

/** Above this share of the gap between guessing and perfect, more photos may show that the classifier is good. */
const LIKELY_GOOD = 0.25;

/** The photos that a classifier was evaluated on: held out by the fit, or others. */
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
 * A sentence that warns that a classifier is no better than guessing and suggests a remedy.
 *
 * @returns undefined if it is better.
 */
export function guessingText(
  { accuracy, confidenceInterval, chance, count, isBetter }: GuessingComparison,
  asked: Asked,
): string | undefined {
  if (isBetter) return undefined;
  const [low, high] = confidenceInterval.map(percent);
  const { photos, unclear, bad } = WORDS[asked];
  // The accuracy, rescaled so that guessing is 0 and perfect is 1.
  const isUnclear = chance < 1 && (accuracy - chance) / (1 - chance) >= LIKELY_GOOD;
  const verdict = isUnclear
    ? `${count} photos are too few to tell this classifier from guessing`
    : "this classifier is no better than guessing";
  return `${verdict}: of ${photos} it names ${
    percent(accuracy)
  } right (95 %: ${low} to ${high}), ` +
    `and guessing ${percent(chance)}; ${isUnclear ? unclear : bad}`;
}

/** Formats the comparison with guessing as JSON. */
export function guessingJson(
  { accuracy, confidenceInterval, chance, isBetter }: GuessingComparison,
): Record<string, unknown> {
  return {
    accuracy,
    confidence_interval: confidenceInterval,
    chance,
    better_than_guessing: isBetter,
  };
}
