import { exp } from "./exp.ts";

/**
 * Softmax of one row of logits: `exp(x_i - max) / Σ exp(x_j - max)`, in double precision, the same to the
 * last bit on every host.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { softmax } from "./softmax.ts";
 *
 * assertEquals(softmax([0, 0]), Float64Array.of(0.5, 0.5));
 * ```
 */
export function softmax(logits: ArrayLike<number>): Float64Array {
  let max = -Infinity;
  for (let i = 0; i < logits.length; i++) max = Math.max(max, logits[i]!);
  const out = Float64Array.from(logits, (logit) => exp(logit - max));
  const sum = out.reduce((a, b) => a + b, 0);
  return out.map((e) => e / sum);
}

/** Element-wise sigmoid of one row of logits: `1 / (1 + exp(-x_i))`, in double precision. */
export function sigmoid(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, (logit) => 1 / (1 + exp(-logit)));
}
