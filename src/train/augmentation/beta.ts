/** Far below it, even logarithms of Gamma variables overflow; at it, almost every draw is next to 0 or 1. */
const MIN_PARAMETER = 1e-6;

/**
 * Draws a number from the Beta(a, b) distribution, as the ratio of two Gamma variables (Marsaglia and Tsang,
 * "A simple method for generating gamma variables", 2000). It computes with logarithms, so that small
 * parameters, whose Gamma variables underflow, are no trouble.
 *
 * @param random uniform numbers in [0, 1); how many are used varies.
 * @returns a number from 0 to 1.
 * @throws {RangeError} if a parameter is not a finite number of at least 1e-6.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { beta } from "./beta.ts";
 *
 * const random = uniform(1);
 * const draws = Array.from({ length: 2000 }, () => beta(2, 6, random));
 * assert(Math.abs(draws.reduce((a, b) => a + b) / 2000 - 0.25) < 0.01); // the mean is a / (a + b)
 * ```
 */
export function beta(a: number, b: number, random: () => number): number {
  for (const parameter of [a, b]) {
    if (!(parameter >= MIN_PARAMETER && parameter < Infinity)) {
      throw new RangeError(
        `Cannot draw from Beta(${a}, ${b}): give finite numbers of at least ${MIN_PARAMETER}`,
      );
    }
  }
  return 1 / (1 + Math.exp(logGamma(b, random) - logGamma(a, random)));
}

/** The logarithm of a Gamma(shape, 1) variable. */
function logGamma(shape: number, random: () => number): number {
  // Gamma(k) has the distribution of Gamma(k + 1) U^(1/k).
  const boost = shape < 1 ? Math.log(1 - random()) / shape : 0;
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  while (true) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random()) < x * x / 2 + d * (1 - v + Math.log(v))) {
      return Math.log(d * v) + boost;
    }
  }
}

/** A standard normal variable (Box and Muller). */
function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}
