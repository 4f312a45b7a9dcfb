import { type Matrix, rowOf } from "./matrix.ts";
import type { Samples } from "./samples.ts";
import type { LinearScorer } from "./scorer.ts";

/** MSN's own temperature of the similarity to prototypes. */
const TEMPERATURE = 0.1;

/**
 * The mean feature of each class.
 *
 * @returns [K, D]; of a class without samples, zeros.
 */
export function classMeans(
  { features, classes, classCount }: Omit<Samples, "weights">,
): Matrix {
  const D = features.columns;
  const means = { rows: classCount, columns: D, data: new Float64Array(classCount * D) };
  const counts = new Float64Array(classCount);
  classes.forEach((c, i) => {
    counts[c]!++;
    const [mean, feature] = [rowOf(means, c), rowOf(features, i)];
    for (let d = 0; d < D; d++) mean[d]! += feature[d]!;
  });
  counts.forEach((count, c) => {
    const mean = rowOf(means, c);
    for (let d = 0; d < D && count > 0; d++) mean[d]! /= count;
  });
  return means;
}

/**
 * Scores by the nearest class prototype: `z_c = cos(f, mean_c) / 0.1`.
 *
 * @param means [K, D], of {@linkcode classMeans}.
 */
export function prototypeScorer(means: Matrix): LinearScorer {
  const data = means.data.slice();
  for (let c = 0; c < means.rows; c++) {
    const row = rowOf({ ...means, data }, c);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let d = 0; d < row.length; d++) row[d]! /= TEMPERATURE * length;
  }
  return { kind: "linear", weight: { ...means, data }, bias: new Float64Array(means.rows) };
}
