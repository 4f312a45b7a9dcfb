/** [lower bound, upper bound]. */
export type ConfidenceInterval = readonly [number, number];

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959964;

/** The 97.5 % quantiles of Student's t distribution for 1 to 30 degrees of freedom; above, Z is close. */
// deno-fmt-ignore
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
  2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
  2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/**
 * Wilson's 95 % score interval for a proportion: with p = right / count,
 * `(p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n)`.
 *
 * @param right the number of successes.
 * @param count the number of trials, above 0.
 */
export function wilsonInterval(right: number, count: number): ConfidenceInterval {
  const p = right / count;
  const middle = p + Z * Z / (2 * count);
  const half = Z * Math.sqrt(p * (1 - p) / count + Z * Z / (4 * count * count));
  const scale = 1 + Z * Z / count;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

/**
 * Student's 95 % interval for a mean of proportions: `mean ± t s / √n`, s the sample's standard deviation,
 * clipped to 0 to 1.
 *
 * @param values at least two, from 0 to 1.
 */
export function meanShareInterval(values: readonly number[]): ConfidenceInterval {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const half = (T[n - 2] ?? Z) * Math.sqrt(variance / n);
  return [Math.max(0, mean - half), Math.min(1, mean + half)];
}
