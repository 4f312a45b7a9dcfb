import { type Matrix, matrixOf, rowOf } from "../../tensor/matrix.ts";

/** The weighted samples that a head is fitted on. */
export interface Samples {
  /** [n, D], each row of length 1. */
  readonly features: Matrix;
  /** [n], the class index of each sample. */
  readonly classes: readonly number[];
  /** [n], the weight of each sample; 1 on average. */
  readonly weights: readonly number[];
  /** K, the number of classes. */
  readonly classCount: number;
}

/** How images are weighted: `balanced` gives every class the same total weight, `none` every image. */
export type ClassWeight = "balanced" | "none";

/**
 * Makes weighted samples.
 *
 * @param features [n, D], rows of length 1.
 * @param classes [n], the class index of each, below `classCount`.
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

/** The samples with the given indices; their weights are not recomputed. */
export function pick(samples: Samples, indices: readonly number[]): Samples {
  return {
    features: matrixOf(indices.map((i) => rowOf(samples.features, i))),
    classes: indices.map((i) => samples.classes[i]!),
    weights: indices.map((i) => samples.weights[i]!),
    classCount: samples.classCount,
  };
}

/** [K], the number of samples of each class. */
export function countsOf(classes: readonly number[], classCount: number): number[] {
  const counts = Array<number>(classCount).fill(0);
  for (const c of classes) counts[c]!++;
  return counts;
}
