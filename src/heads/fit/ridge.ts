import { matmul, type Matrix, rowOf, transpose } from "../../tensor/matrix.ts";
import type { Samples } from "./samples.ts";
import type { LinearScorer } from "../scorer.ts";

/**
 * Ridge regression on one-hot targets. It minimises over W [K, D] and b [K]
 *
 *     Σᵢ wᵢ ‖W fᵢ + b - onehot(class(i))‖² + l2 ‖W‖²
 *
 * in closed form, in the primal (D unknowns per class) or the dual (n unknowns), whichever is smaller. With
 * A the centred features and B the centred targets, rows scaled by √w, the primal is
 * (AᵀA + l2 I) Wᵀ = AᵀB. The Gram matrix does not depend on `l2` and is computed once.
 */
export class Ridge {
  readonly #featureMean: Float64Array;
  readonly #targetMean: Float64Array;
  readonly #At: Matrix;
  /** AᵀA [D, D] or, with fewer samples than channels, AAᵀ [n, n]. */
  readonly #gram: Matrix;
  /** AᵀB [D, K] or B [n, K]. */
  readonly #right: Matrix;
  readonly #isDual: boolean;

  /** @param samples the samples to fit on. */
  constructor({ features, classes, weights, classCount: K }: Samples) {
    const { rows: n, columns: D } = features;
    const targets: Matrix = { rows: n, columns: K, data: new Float64Array(n * K) };
    classes.forEach((c, i) => targets.data[i * K + c] = 1);
    this.#featureMean = weightedMean(features, weights);
    this.#targetMean = weightedMean(targets, weights);
    const A = centredAndWeighted(features, this.#featureMean, weights);
    const B = centredAndWeighted(targets, this.#targetMean, weights);
    this.#At = transpose(A);
    this.#isDual = n < D;
    this.#gram = this.#isDual ? matmul(A, this.#At) : matmul(this.#At, A);
    this.#right = this.#isDual ? B : matmul(this.#At, B);
  }

  /** @throws {RangeError} if `l2` is not a positive finite number. */
  fit(l2: number): LinearScorer {
    if (!(l2 > 0 && l2 < Infinity)) {
      throw new RangeError(`Cannot fit a ridge regression: l2 is ${l2}, not above 0`);
    }
    const solution = solve(addToDiagonal(this.#gram, l2), this.#right);
    // (AᵀA + l2 I)⁻¹ AᵀB = Aᵀ (AAᵀ + l2 I)⁻¹ B
    const weight = transpose(this.#isDual ? matmul(this.#At, solution) : solution);
    const bias = this.#targetMean.map((mean, k) => mean - dot(rowOf(weight, k), this.#featureMean));
    return { kind: "linear", weight, bias };
  }
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
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) {
    const root = Math.sqrt(weights[i]!);
    for (let j = 0; j < columns; j++) {
      out[i * columns + j] = root * (data[i * columns + j]! - mean[j]!);
    }
  }
  return { rows, columns, data: out };
}

function addToDiagonal({ rows, columns, data }: Matrix, value: number): Matrix {
  const out = data.slice();
  for (let i = 0; i < rows; i++) out[i * columns + i]! += value;
  return { rows, columns, data: out };
}

/** Solves S X = B by Cholesky, S = L Lᵀ. S must be symmetric positive definite; L overwrites it. */
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
  const X = transpose(B); // one row for each right-hand side
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
