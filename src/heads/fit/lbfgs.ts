/** A function to minimise: returns the value at `x` and writes the gradient there. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** The stopping criteria of {@linkcode minimize}. */
export interface MinimizeOptions {
  /** The Euclidean length of the gradient at which to stop; default 1e-9. */
  readonly tolerance?: number;
  /** The largest number of iterations; default 2000. */
  readonly maxIterations?: number;
}

/** The point where {@linkcode minimize} stopped. */
export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  /** The gradient's Euclidean length. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Whether the gradient is within the tolerance, or no step lowers the value any more. */
  readonly converged: boolean;
}

/** The number of (step, gradient change) pairs that approximate the Hessian. */
const MEMORY = 10;
/** c₁ and c₂ of the weak Wolfe conditions: sufficient decrease and curvature. */
const ARMIJO = 1e-4;
const CURVATURE = 0.9;
const MAX_TRIALS = 40;

/**
 * Minimises a smooth convex function by L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms
 * 7.4 and 7.5). The line search bisects until both weak Wolfe conditions hold. The same input gives the
 * same bits.
 *
 * @param start the starting point; it is not changed.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { minimize } from "./lbfgs.ts";
 *
 * const { x } = minimize(([x], gradient) => {
 *   gradient[0] = 2 * (x! - 3);
 *   return (x! - 3) ** 2;
 * }, Float64Array.of(0));
 * assertAlmostEquals(x[0]!, 3);
 * ```
 */
export function minimize(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-9, maxIterations = 2000 }: MinimizeOptions = {},
): Minimum {
  let x: Float64Array = start.slice();
  let gradient: Float64Array = new Float64Array(x.length);
  let value = objective(x, gradient);
  const pairs: Pair[] = [];
  for (let iterations = 0;; iterations++) {
    const gradientNorm = Math.sqrt(dot(gradient, gradient));
    const result = { x, value, gradientNorm, iterations };
    if (gradientNorm <= tolerance) return { ...result, converged: true };
    if (iterations === maxIterations) return { ...result, converged: false };
    let direction = descent(gradient, pairs);
    if (!(dot(direction, gradient) < 0)) {
      pairs.length = 0;
      direction = descent(gradient, pairs);
    }
    // Without pairs the function's scale is unknown; the first step has at most length 1.
    const first = pairs.length === 0 ? Math.min(1, 1 / gradientNorm) : 1;
    const next = search(objective, x, value, gradient, direction, first);
    if (!next) return { ...result, converged: true };
    const step = subtract(next.x, x);
    const change = subtract(next.gradient, gradient);
    const curvature = dot(step, change);
    if (curvature > 0) {
      pairs.push({ step, change, curvature });
      if (pairs.length > MEMORY) pairs.shift();
    }
    ({ x, value, gradient } = next);
  }
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** step · change */
  readonly curvature: number;
}

interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** The two-loop recursion: -H g, where H approximates the inverse Hessian by the pairs. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = gradient.map((g) => -g);
  const alphas = pairs.toReversed().map(({ step, change, curvature }) => {
    const alpha = dot(step, q) / curvature;
    addScaled(q, -alpha, change);
    return alpha;
  }).reverse();
  const last = pairs.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.change, last.change);
    for (let i = 0; i < q.length; i++) q[i]! *= scale;
  }
  pairs.forEach(({ step, change, curvature }, i) => {
    addScaled(q, alphas[i]! - dot(change, q) / curvature, step);
  });
  return q;
}

/** The line search. Returns undefined if no step lowers the value, which then is a minimum up to rounding. */
function search(
  objective: Objective,
  x: Float64Array,
  value: number,
  gradient: Float64Array,
  direction: Float64Array,
  first: number,
): Point | undefined {
  const slope = dot(gradient, direction);
  let [low, high, length] = [0, Infinity, first];
  let best: Point | undefined;
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    const next = x.slice();
    addScaled(next, length, direction);
    const nextGradient = new Float64Array(x.length);
    const nextValue = objective(next, nextGradient);
    const point = { x: next, value: nextValue, gradient: nextGradient };
    if (!(nextValue <= value + ARMIJO * length * slope)) high = length;
    else {
      best = point;
      if (dot(nextGradient, direction) >= CURVATURE * slope) return point;
      low = length;
    }
    length = high === Infinity ? 2 * low : (low + high) / 2;
  }
  return best && best.value < value ? best : undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(a: Float64Array, factor: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((x, i) => x - b[i]!);
}
