/** A function to minimise: writes the gradient at `x` and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** When {@linkcode minimize} stops. */
export interface MinimizeOptions {
  /** The length of the gradient that counts as 0; default 1e-9. */
  readonly tolerance?: number;
  /** Default 2000. */
  readonly maxIterations?: number;
}

/** Where {@linkcode minimize} has stopped. */
export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  /** The gradient's Euclidean length. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Whether no step made the value any smaller, or the gradient is within the tolerance. */
  readonly converged: boolean;
}

/** Pairs of steps and changes of the gradient that stand for the second derivatives. */
const MEMORY = 10;
/** The conditions of Wolfe: a step lowers the value, and the slope, by such shares. */
const ARMIJO = 1e-4;
const CURVATURE = 0.9;
const MAX_TRIALS = 40;

/**
 * Minimises a smooth convex function by L-BFGS (Nocedal and Wright, Numerical Optimization, algorithms
 * 7.4 and 7.5), its step lengths by bisection until both of Wolfe's conditions hold. The same input
 * gives the same bits.
 *
 * @param start where to begin; it is not changed.
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
    // Without memory nothing is known of the function's scale.
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

/** The two-loop recursion: -H g, H the inverse of the second derivatives as far as the pairs know. */
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

/** @returns nothing if no step makes the value smaller: what is left is rounding. */
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
