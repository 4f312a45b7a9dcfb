import { unitFeatureMatrix } from "./feature_matrix.ts";

/**
 * The mean cosine similarity of all pairs of different features, which is 1 if they all have one direction.
 * With unit features f̂, the sum of all pairs is (‖Σ f̂‖² - Σ ‖f̂‖²) / 2, so that no pair need be visited. A
 * zero feature has no direction: its similarity is 0.
 *
 * @param features at least two, as they are: not centred.
 * @returns from -1 / (n - 1) to 1.
 * @throws {RangeError} if there are fewer than two, their lengths differ, or a number is not finite.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { featureSimilarity } from "./feature_similarity.ts";
 *
 * const features = [Float32Array.of(1, 0), Float32Array.of(2, 0), Float32Array.of(0, 3)];
 * assertAlmostEquals(featureSimilarity(features), 1 / 3);
 * ```
 */
export function featureSimilarity(features: readonly Float32Array[]): number {
  const n = features.length;
  if (n < 2) {
    throw new RangeError(`Cannot compare features: at least 2 are needed, there are ${n}`);
  }
  const { columns, data } = unitFeatureMatrix(features, "compare features");
  const sum = new Float64Array(columns);
  let own = 0;
  data.forEach((x, i) => {
    sum[i % columns]! += x;
    own += x * x;
  });
  const all = sum.reduce((total, x) => total + x * x, 0);
  return Math.min(1, (all - own) / (n * (n - 1)));
}
