/**
 * The eigenvalues of a real symmetric matrix, without eigenvectors: Householder reflections make it
 * tridiagonal, QL steps with implicit shifts make that diagonal (Golub and Van Loan, Matrix Computations,
 * 4th edition, algorithms 8.3.1 and 8.3.3; EISPACK's `tred1` and `imtql1`). Takes about 4/3 `size`³
 * multiplications and additions.
 *
 * @param matrix [size, size], row-major; only the lower triangle is read.
 * @returns [size], in descending order, each within a few roundings of the largest magnitude among them: a
 * zero eigenvalue of a singular matrix can come out as ±1e-16 times that.
 * @throws {RangeError} if the matrix is not [size, size], or has a number that is not finite.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { symmetricEigenvalues } from "./symmetric_eigenvalues.ts";
 *
 * const [largest, smallest] = symmetricEigenvalues(Float64Array.of(2, 1, 1, 2), 2);
 * assertAlmostEquals(largest!, 3, 1e-12);
 * assertAlmostEquals(smallest!, 1, 1e-12);
 * ```
 */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
  if (!Number.isInteger(size) || size < 1 || matrix.length !== size * size) {
    throw new RangeError(
      `Cannot compute eigenvalues: ${matrix.length} numbers are no matrix [${size}, ${size}]`,
    );
  }
  let largest = 0;
  for (const x of matrix) {
    if (!Number.isFinite(x)) {
      throw new RangeError(`Cannot compute eigenvalues: the matrix has ${x}; give finite numbers`);
    }
    largest = Math.max(largest, Math.abs(x));
  }
  if (largest === 0) return new Float64Array(size);
  // A power of two: squares of the numbers neither overflow nor vanish, and nothing is rounded.
  const scale = 2 ** Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest))));
  const { diagonal, below } = tridiagonal(matrix.map((x) => x / scale), size);
  diagonalize(diagonal, below);
  return diagonal.map((x) => x * scale).sort().reverse();
}

/** A symmetric tridiagonal matrix. */
interface Tridiagonal {
  /** [n] */
  readonly diagonal: Float64Array;
  /** [n]: the number below each number of the diagonal; the last is 0. */
  readonly below: Float64Array;
}

/**
 * Reduces rows from the last to the third: with the row's part left of the diagonal x, u = x ± ‖x‖ e, h = uᵀu / 2,
 * the reflection I - u uᵀ / h makes A - u qᵀ - q uᵀ of A, with p = A u / h and q = p - u (uᵀp) / 2h.
 *
 * @param a [n, n], overwritten.
 */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n);
  const q = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const u = a.subarray(i * n, i * n + i);
    diagonal[i] = a[i * n + i]!;
    const last = u[i - 1]!;
    let rest = 0;
    for (let k = 0; k < i - 1; k++) rest += u[k]! * u[k]!;
    if (rest === 0) {
      below[i - 1] = last;
      continue;
    }
    const norm = Math.sqrt(rest + last * last);
    const reflected = last > 0 ? -norm : norm;
    below[i - 1] = reflected;
    u[i - 1] = last - reflected;
    const h = norm * norm + Math.abs(last) * norm;

    multiplySymmetric(a, n, u, q);
    let along = 0;
    for (let k = 0; k < i; k++) along += u[k]! * (q[k]! /= h);
    along /= 2 * h;
    for (let k = 0; k < i; k++) q[k]! -= along * u[k]!;
    subtractOuter(a, n, u, q);
  }
  diagonal[0] = a[0]!;
  return { diagonal, below };
}

/** q = A u for the leading part of a symmetric matrix, each number of whose lower triangle is read once. */
function multiplySymmetric(a: Float64Array, n: number, u: Float64Array, q: Float64Array): void {
  q.fill(0, 0, u.length);
  for (let j = 0; j < u.length; j++) {
    const row = j * n;
    const uj = u[j]!;
    let sum = 0;
    for (let k = 0; k < j; k++) {
      const x = a[row + k]!;
      sum += x * u[k]!;
      q[k]! += x * uj;
    }
    q[j]! += sum + a[row + j]! * uj;
  }
}

/** A -= u qᵀ + q uᵀ, in the lower triangle. */
function subtractOuter(a: Float64Array, n: number, u: Float64Array, q: Float64Array): void {
  for (let j = 0; j < u.length; j++) {
    const row = j * n;
    const uj = u[j]!;
    const qj = q[j]!;
    for (let k = 0; k <= j; k++) a[row + k]! -= uj * q[k]! + qj * u[k]!;
  }
}

/** Far more QL steps than an eigenvalue takes, which is about two. */
const MAX_STEPS = 100;

/** QL steps with implicit shifts turn the diagonal into the eigenvalues. */
function diagonalize(diagonal: Float64Array, below: Float64Array): void {
  const n = diagonal.length;
  let norm = 0;
  for (let i = 0; i < n; i++) {
    norm = Math.max(norm, Math.abs(diagonal[i]!) + Math.abs(below[i]!));
  }
  const negligible = Number.EPSILON * norm;
  for (let first = 0; first < n; first++) {
    for (let steps = 0;; steps++) {
      let end = first;
      while (end < n - 1 && Math.abs(below[end]!) > negligible) end++;
      if (end === first) break;
      if (steps === MAX_STEPS) {
        throw new Error(`Cannot compute eigenvalues: no convergence in ${MAX_STEPS} steps`);
      }
      implicitStep(diagonal, below, first, end);
    }
  }
}

/** One QL step of the block from `first` to `end`, by rotations from its foot upwards. */
function implicitStep(
  diagonal: Float64Array,
  below: Float64Array,
  first: number,
  end: number,
): void {
  // Wilkinson's shift: the eigenvalue of the uppermost 2×2 block that is nearer to its first number.
  const half = (diagonal[first + 1]! - diagonal[first]!) / (2 * below[first]!);
  const root = Math.hypot(half, 1);
  const shift = diagonal[first]! - below[first]! / (half + (half >= 0 ? root : -root));
  let g = diagonal[end]! - shift;
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = end - 1; i >= first; i--) {
    const f = sine * below[i]!;
    const b = cosine * below[i]!;
    const radius = Math.hypot(f, g);
    below[i + 1] = radius;
    if (radius === 0) {
      // The block falls apart here: the rotations above this row have no bulge to move.
      diagonal[i + 1]! -= moved;
      below[end] = 0;
      return;
    }
    sine = f / radius;
    cosine = g / radius;
    g = diagonal[i + 1]! - moved;
    const twist = (diagonal[i]! - g) * sine + 2 * cosine * b;
    moved = sine * twist;
    diagonal[i + 1] = g + moved;
    g = cosine * twist - b;
  }
  diagonal[first]! -= moved;
  below[first] = g;
  below[end] = 0;
}
