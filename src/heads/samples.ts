import { type Matrix, matrixOf, rowOf } from "./matrix.ts";

/** Features with their classes: what a head is fitted on. */
export interface Samples {
  /** [n, D], each row of length 1. */
  readonly features: Matrix;
  /** [n], the index of each one's class. */
  readonly classes: readonly number[];
  /** [n], how much each one counts; 1 on average. */
  readonly weights: readonly number[];
  /** K */
  readonly classCount: number;
}

/** How images of classes of different sizes count: `balanced`, all classes the same, or all images. */
export type ClassWeight = "balanced" | "none";

/**
 * Makes samples of features.
 *
 * @param classes the index of each one's class, below `classCount`.
 */
export function toSamples(
  features: Matrix,
  classes: readonly number[],
  classCount: number,
  classWeight: ClassWeight,
): Samples {
  const counts = countsOf(classes, classCount);
  const present = counts.filter((count) => count > 0).length;
  const weights = classes.map((c) =>
    classWeight === "balanced" ? classes.length / (present * counts[c]!) : 1
  );
  return { features, classes, weights, classCount };
}

/** Some of the samples, with their weights. */
export function pick(samples: Samples, indices: readonly number[]): Samples {
  return {
    features: matrixOf(indices.map((i) => rowOf(samples.features, i))),
    classes: indices.map((i) => samples.classes[i]!),
    weights: indices.map((i) => samples.weights[i]!),
    classCount: samples.classCount,
  };
}

/** How many samples each class has, [K]. */
export function countsOf(classes: readonly number[], classCount: number): number[] {
  const counts = Array<number>(classCount).fill(0);
  for (const c of classes) counts[c]!++;
  return counts;
}
