import { Activation } from "../../src/runtime/simd/structs.ts";

/** Φ(x), the share of a normal distribution that is below x. */
function normalShare(x: number): number {
  if (Math.abs(x) > 12) return x > 0 ? 1 : 0;
  // All terms have the same sign, so that they lose nothing.
  let sum = 0;
  for (let term = x, n = 1; sum + term !== sum; n += 2) {
    sum += term;
    term *= x * x / (n + 2);
  }
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}

/** The activation functions in double precision: number, name, function. */
export const ACTIVATIONS: readonly (readonly [number, string, (x: number) => number])[] = [
  [Activation.GELU, "GELU", (x) => x * normalShare(x)],
  [Activation.GELU_TANH, "GELU with tanh", (x) => {
    const u = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    return x / 2 * (1 + Math.tanh(u));
  }],
  [Activation.QUICK_GELU, "quick GELU", (x) => x / (1 + Math.exp(-1.702 * x))],
  [Activation.RELU, "ReLU", (x) => Math.max(0, x)],
  [Activation.SILU, "SiLU", (x) => x / (1 + Math.exp(-x))],
];
