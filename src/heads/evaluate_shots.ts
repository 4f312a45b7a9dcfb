import { uniform } from "../tensor/uniform.ts";
import { type Interval, meanShareInterval } from "./confidence_interval.ts";
import { shuffle } from "./cross_validation.ts";
import { evaluate } from "./evaluate.ts";
import { fitHead, type FitOptions, type LabelledFeatures } from "./fit_head.ts";

/** How {@linkcode evaluateShots} draws and fits. */
export interface ShotsOptions extends FitOptions {
  /** Images a class to fit on, at least 1. */
  readonly shots: number;
  /** How many times to draw them; default 10. */
  readonly splits?: number;
}

/** How good heads are that are fitted on few images a class. */
export interface ShotsEvaluation {
  /** Images a class. */
  readonly shots: number;
  /** Of each split. */
  readonly accuracies: readonly number[];
  /** Their mean. */
  readonly accuracy: number;
  /** 95 %, Student's interval of the mean over splits, within 0 to 1; of one split, that share itself twice. */
  readonly confidenceInterval: Interval;
  /** The mean share that guessing gets right; as of answers that do not look at the image. */
  readonly chance: number;
}

/**
 * Draws a few images of each class, fits a head on them and evaluates it, some times over.
 *
 * @param support where images to fit on are drawn from. With the same seed, the same are.
 * @param query the images to evaluate on; default are those of `support` that were not drawn.
 * @throws {RangeError} if a class of `support` has too few images, a label of `query` is no class of
 * it, or an option is out of range.
 */
export function evaluateShots(
  support: LabelledFeatures,
  { shots, splits = 10, seed = 0, ...options }: ShotsOptions,
  query?: LabelledFeatures,
): ShotsEvaluation {
  for (const [name, value] of Object.entries({ shots, splits })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot evaluate: ${name} is ${value}, not an integer of at least 1`);
    }
  }
  const members = Map.groupBy(support.labels.keys(), (i) => support.labels[i]!);
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
    return evaluate(head, query ?? take(support, (i) => !drawn.has(i)));
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

/** So that seeds do not share their splits. */
const MAX_SPLITS = 1000;

function take({ features, labels }: LabelledFeatures, wanted: (i: number) => boolean) {
  return {
    features: features.filter((_, i) => wanted(i)),
    labels: labels.filter((_, i) => wanted(i)),
  };
}
