import { groupBy } from "../../host/group_by.ts";
import { shuffle, uniform } from "../../tensor/random.ts";
import { type ConfidenceInterval, meanShareInterval } from "./confidence_interval.ts";
import { evaluateHead } from "./evaluate.ts";
import { fitHead } from "../fit/fit_head.ts";
import {
  type FitOptions,
  type LabelledFeatures,
  type LabelledVectors,
  labelledVectors,
} from "../fit/fit_options.ts";

/** The options of {@linkcode evaluateShots}. */
export interface ShotsOptions extends FitOptions {
  /** The number of images per class to fit on, at least 1. */
  readonly shots: number;
  /** The number of random draws; default 10. */
  readonly splits?: number;
}

/** The accuracy of heads that are fitted on a few images per class. */
export interface ShotsEvaluation {
  /** The number of images per class. */
  readonly shots: number;
  /** The accuracy of each split. */
  readonly accuracies: readonly number[];
  /** The mean of `accuracies`. */
  readonly accuracy: number;
  /** Student's 95 % interval of the mean over splits, within 0 to 1; with one split, the accuracy twice. */
  readonly confidenceInterval: ConfidenceInterval;
  /** The mean over splits of the accuracy that guessing reaches, without looking at the image. */
  readonly chance: number;
}

/**
 * Draws a few images of each class, fits a head on them and evaluates it; repeats this for every split.
 *
 * @param labelled the images to draw from. The same seed draws the same images.
 * @param query the images to evaluate on; default is the rest of `labelled`.
 * @throws {RangeError} if a class of `labelled` has too few images, a label of `query` does not occur in
 * `labelled`, or an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { evaluateShots } from "./evaluate_shots.ts";
 *
 * const features = [0, 0.1, 0.2, 1.3, 1.4, 1.5].map((a) => Float32Array.of(Math.cos(a), Math.sin(a)));
 * const labels = ["east", "east", "east", "north", "north", "north"];
 * assertEquals(evaluateShots({ features, labels }, { shots: 1, splits: 3 }).accuracy, 1);
 * ```
 */
export function evaluateShots(
  labelled: LabelledFeatures,
  { shots, splits = 10, seed = 0, ...options }: ShotsOptions,
  query?: LabelledFeatures,
): ShotsEvaluation {
  const support = labelledVectors(labelled);
  for (const [name, value] of Object.entries({ shots, splits })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot evaluate: ${name} is ${value}, not an integer of at least 1`);
    }
  }
  const members = groupBy(support.labels.keys(), (i) => support.labels[i]!);
  for (const [label, { length }] of members) {
    const needed = shots + (query ? 0 : 1);
    if (length < needed) {
      throw new RangeError(
        `Cannot evaluate ${shots} images a class: "${label}" has ${length}, and it takes ${needed}`,
      );
    }
  }
  const evaluations = Array.from({ length: splits }, (_, split) => {
    const random = uniform(seed * MAX_SPLITS + split);
    const drawn = new Set(
      [...members.keys()].sort().flatMap((label) =>
        shuffle(members.get(label)!, random).slice(0, shots)
      ),
    );
    const { head } = fitHead(take(support, (i) => drawn.has(i)), { ...options, seed });
    return evaluateHead(head, query ?? take(support, (i) => !drawn.has(i)));
  });
  const accuracies = evaluations.map(({ accuracy }) => accuracy);
  const accuracy = accuracies.reduce((sum, a) => sum + a, 0) / splits;
  const chance = evaluations.reduce((sum, { guessing }) => sum + guessing.chance, 0) / splits;
  return {
    shots,
    accuracies,
    accuracy,
    chance,
    confidenceInterval: splits > 1 ? meanShareInterval(accuracies) : [accuracy, accuracy],
  };
}

/** Seeds are spaced by this many splits, so that two seeds do not share a split. */
const MAX_SPLITS = 1000;

function take({ features, labels }: LabelledVectors, wanted: (i: number) => boolean) {
  return {
    features: features.filter((_, i) => wanted(i)),
    labels: labels.filter((_, i) => wanted(i)),
  };
}
