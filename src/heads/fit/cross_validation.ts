import { shuffle, uniform } from "../../tensor/random.ts";
import { type Matrix, matrixOf, rowOf } from "../../tensor/matrix.ts";
import { countsOf, pick, type Samples } from "./samples.ts";

/** From this many images on, 3 folds estimate as well as 5, in less than half of the time. */
const MANY = 500;
/** The images of a smaller class are always in the training part and never held out. */
const MIN_COUNT = 3;
/** Cross-validation repeats until there are about this many held-out predictions. */
const HELD_OUT = 200;
const MAX_REPEATS = 4;

/** Held-out outputs: each row is computed by a fit that did not see its sample. */
export interface OutOfFold {
  /** [m], the sample of each row. A held-out sample occurs once in each repeat. */
  readonly indices: readonly number[];
  /** The outputs, [m, …] each. */
  readonly outputs: readonly Matrix[];
}

/** The held-out logits of one candidate. */
export interface Validation {
  /** [m], the sample of each row. */
  readonly indices: readonly number[];
  /** [m, K], not calibrated. */
  readonly logits: Matrix;
  /** The temperature that was fitted on these logits. */
  readonly temperature: number;
}

/** The number of folds. A class with fewer images is spread over as many folds as it has images. */
export function partsOf({ classes }: Samples): number {
  return classes.length < MANY ? 5 : 3;
}

/** Whether at least two classes, and at least half of all, have the three images that holding out takes. */
export function canCrossValidate({ classes, classCount }: Samples): boolean {
  const able = countsOf(classes, classCount).filter((count) => count >= MIN_COUNT).length;
  return able >= 2 && able >= classCount / 2;
}

/**
 * Stratified cross-validation: each fold holds out the same share of every class.
 *
 * @param predict fits on `train` and computes outputs for `heldOut`, one row for each sample.
 * @param seed the seed of the random folds.
 */
export function crossValidate(
  samples: Samples,
  predict: (train: Samples, heldOut: Samples) => readonly Matrix[],
  seed: number,
): OutOfFold {
  const random = uniform(seed);
  const indices: number[] = [];
  const rows: Float64Array[][] = [];
  const repeats = Math.min(MAX_REPEATS, Math.ceil(HELD_OUT / samples.classes.length));
  for (let repeat = 0; repeat < repeats; repeat++) {
    const folds = foldsOf(samples, random);
    for (let fold = 0; fold < partsOf(samples); fold++) {
      const heldOut = samples.classes.flatMap((_, i) => folds[i] === fold ? [i] : []);
      if (heldOut.length === 0) continue;
      const others = samples.classes.flatMap((_, i) => folds[i] === fold ? [] : [i]);
      indices.push(...heldOut);
      predict(pick(samples, others), pick(samples, heldOut)).forEach((output, o) => {
        (rows[o] ??= []).push(...heldOut.map((_, r) => rowOf(output, r)));
      });
    }
  }
  return { indices, outputs: rows.map(matrixOf) };
}

/** The fold of each sample; -1 for samples that are never held out. */
function foldsOf(samples: Samples, random: () => number): number[] {
  const { classes, classCount } = samples;
  const parts = partsOf(samples);
  const folds = classes.map(() => -1);
  for (let c = 0; c < classCount; c++) {
    const members = shuffle(classes.flatMap((own, i) => own === c ? [i] : []), random);
    if (members.length < MIN_COUNT) continue;
    const count = Math.min(parts, members.length);
    // Each class starts at another fold, so that folds are about the same size.
    members.forEach((i, place) => folds[i] = (place % count + c) % parts);
  }
  return folds;
}
