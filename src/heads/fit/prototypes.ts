import { type Matrix, rowOf } from "../../tensor/matrix.ts";
import type { Samples } from "./samples.ts";
import type { LinearScorer } from "../scorer.ts";

/** The temperature of similarities to prototypes, as in MSN. */
const TEMPERATURE = 0.1;

/**
 * The mean feature of each class.
 *
 * @returns [K, D]; zeros for a class without samples.
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
 * Scores by the cosine to centred class prototypes, as in SimpleShot (Wang et al., 2019). With m the mean of
 * the class means,
 *
 *     z_c = (f - m) · (mean_c - m) / ‖mean_c - m‖ / 0.1
 *
 * @param means [K, D], from {@linkcode classMeans}.
 */
export function prototypeScorer(means: Matrix): LinearScorer {
  const { rows: K, columns: D } = means;
  const middle = new Float64Array(D);
  for (let c = 0; c < K; c++) rowOf(means, c).forEach((x, d) => middle[d]! += x / K);
  const weight = { rows: K, columns: D, data: new Float64Array(K * D) };
  const bias = new Float64Array(K);
  for (let c = 0; c < K; c++) {
    const direction = rowOf(means, c).map((x, d) => x - middle[d]!);
    const length = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0)) || 1;
    const row = rowOf(weight, c);
    direction.forEach((x, d) => row[d] = x / length / TEMPERATURE);
    bias[c] = -row.reduce((sum, w, d) => sum + w * middle[d]!, 0);
  }
  return { kind: "linear", weight, bias };
}
