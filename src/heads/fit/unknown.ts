import { shuffle, uniform } from "../../tensor/random.ts";
import type { UnknownRule } from "../../vit_msn/head/head_parameters.ts";
import { crossValidate, partsOf, type Validation } from "./cross_validation.ts";
import { bestProbability, referencesOf, similarityTo } from "../head.ts";
import { type Matrix, rowOf } from "../../tensor/matrix.ts";
import { fitCandidates, type HeadCandidate } from "./method.ts";
import { classMeans } from "./prototypes.ts";
import { pick, type Samples } from "./samples.ts";
import { scoresOf } from "../scorer.ts";

/**
 * How well each criterion separates images of held-out classes from images of known classes: the AUROC, the
 * probability that it ranks such a pair correctly; 0.5 by chance.
 */
export type UnknownReport = Readonly<Record<UnknownRule["criterion"], number>>;

/** The options of {@linkcode chooseUnknown}. */
export interface UnknownOptions extends Validation {
  /** Whether the head keeps the images' features. */
  readonly keeps: boolean;
  /** The share of images of known classes that may be rejected. */
  readonly falseRejectionRate: number;
  /** The seed of the random choices. */
  readonly seed: number;
}

/** Evaluates a quarter of the images of each known class. */
const HELD_OUT_DIVISOR = 4;

/**
 * Chooses the rule for unknown images: the criterion with the larger AUROC on held-out classes, and the
 * threshold that rejects the given share of held-out images of known classes.
 */
export function chooseUnknown(
  samples: Samples,
  candidate: HeadCandidate,
  { indices, logits, temperature, keeps, falseRejectionRate, seed }: UnknownOptions,
): { rule: UnknownRule; report: UnknownReport } {
  const report = compareCriteria(samples, candidate, { keeps, seed });
  const criterion = report.similarity > report.probability ? "similarity" : "probability";
  const scores = criterion === "probability"
    ? indices.map((_, i) => bestProbability(rowOf(logits, i).map((z) => z / temperature)))
    : outOfFoldSimilarities(samples, keeps, seed);
  const sorted = scores.toSorted((a, b) => a - b);
  const threshold =
    sorted[Math.min(sorted.length - 1, Math.floor(falseRejectionRate * sorted.length))]!;
  return { rule: { criterion, threshold, falseRejectionRate }, report };
}

function similarities(train: Samples, features: Matrix, keeps: boolean): Float64Array {
  const references = referencesOf(classMeans(train), keeps ? train.features : undefined);
  return similarityTo(references, features);
}

/** The similarity of each held-out image to references without it. */
function outOfFoldSimilarities(samples: Samples, keeps: boolean, seed: number): number[] {
  return [
    ...crossValidate(samples, (train, { features }) => {
      const data = similarities(train, features, keeps);
      return [{ rows: data.length, columns: 1, data }];
    }, seed).outputs[0]!.data,
  ];
}

/** Holds out each group of classes in turn, and some images of the other classes to compare with. */
function compareCriteria(
  samples: Samples,
  candidate: HeadCandidate,
  { keeps, seed }: { keeps: boolean; seed: number },
): UnknownReport {
  const K = samples.classCount;
  const random = uniform(seed);
  const order = shuffle(Array.from({ length: K }, (_, c) => c), random);
  const groups = Math.min(partsOf(samples), K);
  const sums = { probability: 0, similarity: 0 };
  for (let group = 0; group < groups; group++) {
    const kept = order.filter((_, place) => place % groups !== group).sort((a, b) => a - b);
    const members = kept.map((own) =>
      shuffle(samples.classes.flatMap((c, i) => c === own ? [i] : []), random)
    );
    const heldOut = members.flatMap((list) =>
      list.slice(0, Math.floor(list.length / HELD_OUT_DIVISOR) || +(list.length > 2))
    );
    const train = withClasses(
      pick(samples, members.flat().filter((i) => !heldOut.includes(i))),
      kept,
    );
    const others = samples.classes.flatMap((c, i) => kept.includes(c) ? [] : [i]);
    const known = pick(samples, heldOut).features;
    const strange = pick(samples, others).features;
    const scorer = fitCandidates(train, [candidate], { final: false })[0]!.scorer;
    const best = (features: Matrix) => {
      const scores = scoresOf(scorer, features);
      return Float64Array.from(
        { length: features.rows },
        (_, i) => bestProbability(rowOf(scores, i)),
      );
    };
    sums.probability += rankedRight(best(known), best(strange));
    sums.similarity += rankedRight(
      similarities(train, known, keeps),
      similarities(train, strange, keeps),
    );
  }
  return { probability: sums.probability / groups, similarity: sums.similarity / groups };
}

/** Renumbers classes by their position in `kept`. */
function withClasses(samples: Samples, kept: readonly number[]): Samples {
  const classes = samples.classes.map((c) => kept.indexOf(c));
  return { ...samples, classes, classCount: kept.length };
}

/** AUROC: the share of pairs in which the known image has the larger score; ties count half. */
function rankedRight(known: Float64Array, strange: Float64Array): number {
  if (known.length === 0 || strange.length === 0) return 0.5;
  const sorted = strange.toSorted();
  const below = (score: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < score || orEqual && sorted[middle] === score) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const pairs = known.reduce((sum, s) => sum + (below(s, false) + below(s, true)) / 2, 0);
  return pairs / (known.length * strange.length);
}
