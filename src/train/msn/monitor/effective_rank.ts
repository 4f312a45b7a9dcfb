import { matmul, type Matrix, rowOf, transpose } from "../../../tensor/matrix.ts";
import { symmetricEigenvalues } from "../../../tensor/symmetric_eigenvalues.ts";
import { featureMatrix } from "./feature_matrix.ts";

/**
 * The largest deviation from the mean, relative to the features, that counts as none: a forward pass in
 * float32 is about this exact, and rounding alone would have a high rank.
 */
const ROUNDING = 1e-5;

/**
 * The effective rank (Roy and Vetterli, 2007) of features: the exponential of the entropy of the singular
 * values, divided by their sum. It is r for r directions of the same spread, and falls towards 1 as fewer
 * directions dominate. Garrido et al. (2023), "RankMe", show that it predicts how well self-supervised
 * features transfer, without labels.
 *
 * Unlike RankMe's, the features are centred by their mean first, which else dominates those of an untrained
 * network. The singular values are the square roots of the eigenvalues of XᵀX [D, D] or, for n < D, of
 * X Xᵀ [n, n].
 *
 * @param features n features of D numbers.
 * @returns from 1 to min(D, n - 1); by convention 1 if the features do not differ by more than the rounding
 * of a forward pass, for instance because there is only one.
 * @throws {RangeError} if there are none, their lengths differ, or a number is not finite.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { effectiveRank } from "./effective_rank.ts";
 *
 * const square = [[1, 1], [1, -1], [-1, 1], [-1, -1]].map((row) => Float32Array.from(row));
 * assertAlmostEquals(effectiveRank(square), 2);
 * assertEquals(effectiveRank([square[0]!, square[0]!]), 1);
 * ```
 */
export function effectiveRank(features: readonly Float32Array[]): number {
  const matrix = featureMatrix(features, "measure the effective rank");
  const size = squares(matrix.data);
  center(matrix);
  if (squares(matrix.data) <= ROUNDING ** 2 * size) return 1;

  const transposed = transpose(matrix);
  const products = matrix.columns <= matrix.rows
    ? matmul(transposed, matrix) // [D, D]
    : matmul(matrix, transposed); // [n, n]
  const eigenvalues = symmetricEigenvalues(products.data, products.rows);
  // Smaller ones are rounding of zeros, and a thousand of their square roots would add up.
  const least = eigenvalues[0]! * Number.EPSILON * products.rows;
  const singular = eigenvalues.filter((x) => x > least).map(Math.sqrt);
  const sum = singular.reduce((total, x) => total + x, 0);
  return Math.exp(singular.reduce((entropy, x) => entropy - x / sum * Math.log(x / sum), 0));
}

/** Subtracts the mean of the rows from each of them. */
function center(matrix: Matrix): void {
  const mean = new Float64Array(matrix.columns);
  for (let r = 0; r < matrix.rows; r++) rowOf(matrix, r).forEach((x, i) => mean[i]! += x);
  for (let i = 0; i < mean.length; i++) mean[i]! /= matrix.rows;
  for (let r = 0; r < matrix.rows; r++) {
    const row = rowOf(matrix, r);
    for (let i = 0; i < row.length; i++) row[i]! -= mean[i]!;
  }
}

/** Σ x² */
function squares(numbers: Float64Array): number {
  let sum = 0;
  for (const x of numbers) sum += x * x;
  return sum;
}
