import { uniform } from "../tensor/uniform.ts";
import { type Matrix, matrixOf, rowOf } from "./matrix.ts";
import { countsOf, pick, type Samples } from "./samples.ts";

/** With as many images, three parts say as much as five of few, in less than half of the time. */
const MANY = 500;
/** A class with fewer images is always fitted on and never asked for. */
const MIN_COUNT = 3;
/** As many divisions are made until about this many images were asked for: few are a matter of luck. */
const ASKED = 200;
const MAX_DIVISIONS = 4;

/** What was said of samples by what was not fitted on them. */
export interface OutOfFold {
  /** [m], which sample each row is of; each one is there once a division. */
  readonly indices: readonly number[];
  /** What was computed of them, [m, …] each. */
  readonly outputs: readonly Matrix[];
}

/** What one candidate said of samples that it was not fitted on. */
export interface Validation {
  /** [m], which sample each is. */
  readonly indices: readonly number[];
  /** [m, K], before calibration. */
  readonly logits: Matrix;
  readonly temperature: number;
}

/** Into how many parts to divide samples, or a class, if it has as many. */
export function partsOf({ classes }: Samples): number {
  return classes.length < MANY ? 5 : 3;
}

/** Whether there is enough for cross-validation: at least half of the classes have three images. */
export function canCrossValidate({ classes, classCount }: Samples): boolean {
  const able = countsOf(classes, classCount).filter((count) => count >= MIN_COUNT).length;
  return able >= 2 && able >= classCount / 2;
}

/**
 * Stratified cross-validation: of each class a part is left out in turn.
 *
 * @param ask fits on the rest and computes some outputs of what was left out, a row for each of it.
 * @param seed of the divisions.
 */
export function crossValidate(
  samples: Samples,
  ask: (train: Samples, leftOut: Samples) => readonly Matrix[],
  seed: number,
): OutOfFold {
  const random = uniform(seed);
  const indices: number[] = [];
  const rows: Float64Array[][] = [];
  const divisions = Math.min(MAX_DIVISIONS, Math.ceil(ASKED / samples.classes.length));
  for (let division = 0; division < divisions; division++) {
    const folds = foldsOf(samples, random);
    for (let fold = 0; fold < partsOf(samples); fold++) {
      const asked = samples.classes.flatMap((_, i) => folds[i] === fold ? [i] : []);
      if (asked.length === 0) continue;
      const others = samples.classes.flatMap((_, i) => folds[i] === fold ? [] : [i]);
      indices.push(...asked);
      ask(pick(samples, others), pick(samples, asked)).forEach((output, o) => {
        (rows[o] ??= []).push(...asked.map((_, r) => rowOf(output, r)));
      });
    }
  }
  return { indices, outputs: rows.map(matrixOf) };
}

/** The fold of each sample; -1 of those that are never asked for. */
function foldsOf(samples: Samples, random: () => number): number[] {
  const { classes, classCount } = samples;
  const parts = partsOf(samples);
  const folds = classes.map(() => -1);
  for (let c = 0; c < classCount; c++) {
    const members = shuffle(classes.flatMap((own, i) => own === c ? [i] : []), random);
    if (members.length < MIN_COUNT) continue;
    const count = Math.min(parts, members.length);
    // Classes begin with different folds, so that these are about the same size.
    members.forEach((i, place) => folds[i] = (place % count + c) % parts);
  }
  return folds;
}

/** The same items in a random order (Fisher and Yates). */
export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
