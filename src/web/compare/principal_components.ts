/**
 * Projects vectors to the two directions in which they differ most (principal component analysis): the two
 * leading eigenvectors of their covariance, by subspace iteration. The same vectors give the same points.
 *
 * @param vectors n vectors [D], one after the other.
 * @param size D
 * @returns [n, 2]; zeros in a direction in which nothing differs.
 * @throws {RangeError} if the length is no multiple of D.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { principalComponents } from "./principal_components.ts";
 *
 * // On a line: the distances stay, and the second component is 0.
 * const points = principalComponents(Float32Array.of(0, 0, 3, 4, 6, 8), 2);
 * assertAlmostEquals(points[4]! - points[0]!, 10, 1e-5);
 * assertAlmostEquals(points[1]!, 0, 1e-5);
 * ```
 */
export function principalComponents(vectors: Float32Array, size: number): Float32Array {
  const n = vectors.length / size;
  if (!Number.isInteger(n)) {
    throw new RangeError(`Cannot project: ${vectors.length} numbers are no vectors of ${size}`);
  }
  const mean = new Float64Array(size);
  vectors.forEach((x, i) => mean[i % size]! += x / n);
  const covariance = covarianceOf(vectors, mean);
  const axes = leadingPair(covariance, size);
  const points = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    axes.forEach((axis, a) => {
      let sum = 0;
      for (let d = 0; d < size; d++) sum += (vectors[i * size + d]! - mean[d]!) * axis[d]!;
      points[2 * i + a] = sum;
    });
  }
  return points;
}

/** [D, D], not divided by n. */
function covarianceOf(vectors: Float32Array, mean: Float64Array): Float64Array {
  const D = mean.length;
  const covariance = new Float64Array(D * D);
  const centred = new Float64Array(D);
  for (let at = 0; at < vectors.length; at += D) {
    for (let d = 0; d < D; d++) centred[d] = vectors[at + d]! - mean[d]!;
    for (let r = 0; r < D; r++) {
      const x = centred[r]!;
      for (let c = r; c < D; c++) covariance[r * D + c]! += x * centred[c]!;
    }
  }
  for (let r = 0; r < D; r++) {
    for (let c = 0; c < r; c++) covariance[r * D + c] = covariance[c * D + r]!;
  }
  return covariance;
}

/** More vectors than are needed converge faster. */
const SUBSPACE = 8;
const MAX_STEPS = 300;
/** The change of a direction at which to stop. */
const TOLERANCE = 1e-10;

/** The two leading eigenvectors, of length 1, or zeros where there is no direction. */
function leadingPair(matrix: Float64Array, size: number): Float64Array[] {
  let basis = orthonormal(startOf(Math.min(size, SUBSPACE), size));
  for (let step = 0; step < MAX_STEPS; step++) {
    const next = orthonormal(basis.map((vector) => product(matrix, vector)));
    const change = Math.max(
      ...next.slice(0, 2).map((vector, i) => 1 - Math.abs(dot(vector, basis[i]!))),
    );
    basis = next;
    if (change < TOLERANCE) break;
  }
  return [0, 1].map((i) => withSign(basis[i] ?? new Float64Array(size)));
}

/** Fixed pseudo-random vectors: a start that is orthogonal to an eigenvector would never find it. */
function startOf(count: number, size: number): Float64Array[] {
  let state = 1;
  const next = () => (state = state * 48_271 % 0x7fffffff) / 0x7fffffff - 0.5;
  return Array.from({ length: count }, () => Float64Array.from({ length: size }, next));
}

/** Gram and Schmidt; a vector that depends on those before it becomes zeros. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const before = Math.sqrt(dot(vector, vector));
    const rest = Float64Array.from(vector);
    // Twice, because the first pass leaves rounding errors of long vectors.
    for (let pass = 0; pass < 2; pass++) {
      for (const axis of basis) {
        const along = dot(rest, axis);
        for (let d = 0; d < rest.length; d++) rest[d]! -= along * axis[d]!;
      }
    }
    const length = Math.sqrt(dot(rest, rest));
    basis.push(rest.map((x) => length <= 1e-12 * before ? 0 : x / length));
  }
  return basis;
}

/** An eigenvector's sign is arbitrary: the largest number is made positive. */
function withSign(vector: Float64Array): Float64Array {
  const largest = vector.reduce((best, x) => Math.abs(x) > Math.abs(best) ? x : best, 0);
  return largest < 0 ? vector.map((x) => -x) : vector;
}

function product(matrix: Float64Array, vector: Float64Array): Float64Array {
  const size = vector.length;
  return vector.map((_, r) => dot(matrix.subarray(r * size, (r + 1) * size), vector));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
