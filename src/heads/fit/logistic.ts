import { minimize, type MinimizeOptions, type Minimum } from "./lbfgs.ts";
import { matmul, type Matrix, rowOf, transpose } from "../../tensor/matrix.ts";
import type { Samples } from "./samples.ts";

/** The options of {@linkcode fitLogistic}. */
export interface LogisticOptions extends MinimizeOptions {
  /** The strength of the L2 penalty, above 0; the MSN paper's `lambd`, and scikit-learn's `1 / C`. */
  readonly l2: number;
  /** [K, D], the starting point; default zeros. */
  readonly start?: Matrix;
}

/** A fitted logistic regression. */
export interface LogisticFit extends Omit<Minimum, "x" | "value"> {
  /** [K, D] */
  readonly weight: Matrix;
  /** The objective's value at `weight`. */
  readonly objective: number;
}

/**
 * Fits a multinomial logistic regression without intercept, as in the evaluation of the MSN paper. It
 * minimises over W [K, D]
 *
 *     (1/n) Σᵢ wᵢ (log Σⱼ exp(zᵢⱼ) - zᵢ,class(i)) + (λ/2) ‖W‖², z = X Wᵀ, λ = l2 / n
 *
 * by L-BFGS. The minimum is that of scikit-learn's `LogisticRegression(C=1/l2, fit_intercept=False)`.
 *
 * @throws {RangeError} if `l2` is not a positive finite number.
 */
export function fitLogistic(
  { features, classes, weights, classCount: K }: Samples,
  { l2, start, ...options }: LogisticOptions,
): LogisticFit {
  if (!(l2 > 0 && l2 < Infinity)) {
    throw new RangeError(`Cannot fit a logistic regression: l2 is ${l2}, not above 0`);
  }
  const { rows: n, columns: D } = features;
  const featuresT = transpose(features);
  const lambda = l2 / n;
  // x is Wᵀ [D, K], so that neither matmul has to transpose it.
  const { x, value, ...rest } = minimize(
    (x, gradient) => {
      const logits = matmul(features, { rows: D, columns: K, data: x }); // [n, K]
      let loss = 0;
      for (let i = 0; i < n; i++) {
        loss += toResidual(rowOf(logits, i), classes[i]!, weights[i]! / n);
      }
      gradient.set(matmul(featuresT, logits).data);
      let squares = 0;
      for (let j = 0; j < x.length; j++) {
        gradient[j]! += lambda * x[j]!;
        squares += x[j]! ** 2;
      }
      return loss + lambda / 2 * squares;
    },
    start ? transpose(start).data : new Float64Array(D * K),
    options,
  );
  return { weight: transpose({ rows: D, columns: K, data: x }), objective: value, ...rest };
}

/**
 * Replaces a row of logits by the gradient `weight (softmax(z) - onehot)`.
 *
 * @returns the row's loss `weight (log Σ exp(z) - z_class)`.
 */
function toResidual(row: Float64Array, target: number, weight: number): number {
  let max = -Infinity;
  for (let j = 0; j < row.length; j++) max = Math.max(max, row[j]!);
  const own = row[target]! - max;
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j] = Math.exp(row[j]! - max);
  for (let j = 0; j < row.length; j++) row[j]! *= weight / sum;
  row[target]! -= weight;
  return weight * (Math.log(sum) - own);
}
