import { matmul, type Matrix, rowOf, transpose } from "./matrix.ts";
import type { Samples } from "./samples.ts";
import type { LinearScorer } from "./scorer.ts";

/**
 * Fits a ridge regression on the classes as numbers: the W [K, D] and b [K] that minimise
 *
 *     Σᵢ wᵢ ‖W fᵢ + b - onehot(class(i))‖² + lambd ‖W‖²
 *
 * in closed form, on as many unknowns as there are samples or channels, whichever is less.
 *
 * @throws {RangeError} if `lambd` is no positive number.
 */
export function fitRidge(
  { features, classes, weights, classCount: K }: Samples,
  { lambd }: { lambd: number },
): LinearScorer {
  if (!(lambd > 0 && lambd < Infinity)) {
    throw new RangeError(`Cannot fit a ridge regression: lambd is ${lambd}, not above 0`);
  }
  const { rows: n, columns: D } = features;
  const targets: Matrix = { rows: n, columns: K, data: new Float64Array(n * K) };
  classes.forEach((c, i) => targets.data[i * K + c] = 1);
  const featureMean = weightedMean(features, weights);
  const targetMean = weightedMean(targets, weights);
  const A = centredAndWeighted(features, featureMean, weights);
  const B = centredAndWeighted(targets, targetMean, weights);
  const At = transpose(A);
  // [D, K]: (AᵀA + λ)⁻¹ AᵀB, which is Aᵀ (AAᵀ + λ)⁻¹ B.
  const solution = n < D
    ? matmul(At, solve(addToDiagonal(matmul(A, At), lambd), B))
    : solve(addToDiagonal(matmul(At, A), lambd), matmul(At, B));
  const weight = transpose(solution);
  const bias = targetMean.map((mean, k) => mean - dot(rowOf(weight, k), featureMean));
  return { kind: "linear", weight, bias };
}

function weightedMean({ rows, columns, data }: Matrix, weights: readonly number[]): Float64Array {
  const mean = new Float64Array(columns);
  const total = weights.reduce((sum, w) => sum + w, 0);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) mean[j]! += weights[i]! / total * data[i * columns + j]!;
  }
  return mean;
}

function centredAndWeighted(
  { rows, columns, data }: Matrix,
  mean: Float64Array,
  weights: readonly number[],
): Matrix {
  const centred = data.map((x, index) =>
    Math.sqrt(weights[Math.floor(index / columns)]!) * (x - mean[index % columns]!)
  );
  return { rows, columns, data: centred };
}

function addToDiagonal({ rows, columns, data }: Matrix, value: number): Matrix {
  for (let i = 0; i < rows; i++) data[i * columns + i]! += value;
  return { rows, columns, data };
}

/** The X of S X = B, by Cholesky's S = L Lᵀ; S is symmetric, positive definite and overwritten by L. */
function solve(S: Matrix, B: Matrix): Matrix {
  const n = S.rows;
  for (let i = 0; i < n; i++) {
    const row = rowOf(S, i);
    for (let j = 0; j <= i; j++) {
      const other = rowOf(S, j);
      let rest = row[j]!;
      for (let k = 0; k < j; k++) rest -= row[k]! * other[k]!;
      row[j] = i === j ? Math.sqrt(rest) : rest / other[j]!;
    }
  }
  const X = transpose(B); // a row for each right side
  for (let r = 0; r < X.rows; r++) {
    const x = rowOf(X, r);
    for (let i = 0; i < n; i++) {
      const row = rowOf(S, i);
      let rest = x[i]!;
      for (let k = 0; k < i; k++) rest -= row[k]! * x[k]!;
      x[i] = rest / row[i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      const row = rowOf(S, i);
      const value = x[i] = x[i]! / row[i]!;
      for (let k = 0; k < i; k++) x[k]! -= row[k]! * value;
    }
  }
  return transpose(X);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}
