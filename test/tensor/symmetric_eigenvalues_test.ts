import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { matmul, transpose } from "../../src/tensor/matrix.ts";
import { symmetricEigenvalues } from "../../src/tensor/symmetric_eigenvalues.ts";
import { uniform } from "../random.ts";

function assertNear(actual: Float64Array, expected: readonly number[], tolerance = 1e-12): void {
  assertEquals(actual.length, expected.length);
  expected.forEach((x, i) => assertAlmostEquals(actual[i]!, x, tolerance, `number ${i}`));
}

/** A Aᵀ of a random A [size, rank]. */
function random(size: number, rank: number, seed: number): Float64Array {
  const number = uniform(seed);
  const a = {
    rows: size,
    columns: rank,
    data: Float64Array.from({ length: size * rank }, () => number() - 0.5),
  };
  return matmul(a, transpose(a)).data;
}

/** Σ x^power */
function sum(numbers: Float64Array, power: number): number {
  return numbers.reduce((total, x) => total + x ** power, 0);
}

Deno.test("the eigenvalues of a diagonal matrix are its diagonal, the largest first", () => {
  assertEquals(symmetricEigenvalues(Float64Array.of(7), 1), Float64Array.of(7));
  assertEquals(symmetricEigenvalues(Float64Array.of(-7), 1), Float64Array.of(-7));
  assertEquals(symmetricEigenvalues(new Float64Array(9), 3), new Float64Array(3));
  const diagonal = Float64Array.of(2, 0, 0, 0, -11, 0, 0, 0, 3);
  assertEquals(symmetricEigenvalues(diagonal, 3), Float64Array.of(3, 2, -11));
  assertEquals(diagonal[4], -11, "the matrix is left as it is");
});

Deno.test("the eigenvalues of small matrices are the known ones", () => {
  assertNear(symmetricEigenvalues(Float64Array.of(0, 1, 1, 0), 2), [1, -1]);
  assertNear(symmetricEigenvalues(Float64Array.of(4, 3, 3, -4), 2), [5, -5]);
  // deno-fmt-ignore
  const second = Float64Array.of(
    2, -1, 0,
    -1, 2, -1,
    0, -1, 2,
  );
  assertNear(symmetricEigenvalues(second, 3), [2 + Math.SQRT2, 2, 2 - Math.SQRT2]);
  // deno-fmt-ignore
  const full = Float64Array.of(
    3, 2, 4,
    2, 0, 2,
    4, 2, 3,
  );
  assertNear(symmetricEigenvalues(full, 3), [8, -1, -1]);
});

Deno.test("the second difference of n points has 2 - 2 cos(π k / (n + 1))", () => {
  const n = 60;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 2;
    if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
  }
  const expected = Array.from(
    { length: n },
    (_, i) => 2 - 2 * Math.cos(Math.PI * (n - i) / (n + 1)),
  );
  assertNear(symmetricEigenvalues(matrix, n), expected, 1e-13);
});

Deno.test("the eigenvalues of a random A Aᵀ have its trace and its Frobenius norm", () => {
  for (const [size, rank] of [[2, 5], [17, 17], [64, 80], [150, 40]] as const) {
    const matrix = random(size, rank, size);
    let trace = 0;
    for (let i = 0; i < size; i++) trace += matrix[i * size + i]!;
    const squares = matrix.reduce((total, x) => total + x * x, 0);
    const values = symmetricEigenvalues(matrix, size);
    assertAlmostEquals(sum(values, 1) / trace, 1, 1e-12);
    assertAlmostEquals(sum(values, 2) / squares, 1, 1e-12);
    const cubes = matmul(
      { rows: size, columns: size, data: matrix },
      matmul({ rows: size, columns: size, data: matrix }, {
        rows: size,
        columns: size,
        data: matrix,
      }),
    );
    let cubed = 0;
    for (let i = 0; i < size; i++) cubed += cubes.data[i * size + i]!;
    assertAlmostEquals(sum(values, 3) / cubed, 1, 1e-12);
    assertEquals(values, values.toSorted().reverse());
    assert(values.at(-1)! > -1e-13 * values[0]!, `${values.at(-1)}`);
  }
});

Deno.test("a matrix of rank r has r eigenvalues above the rounding", () => {
  for (const [size, rank] of [[5, 1], [40, 3], [90, 30]] as const) {
    const values = symmetricEigenvalues(random(size, rank, 7), size);
    const rest = values.subarray(rank).map(Math.abs);
    assert(values[rank - 1]! > 1e-4 * values[0]!, `${values[rank - 1]}`);
    assert(Math.max(...rest) < 1e-14 * values[0]!, `${Math.max(...rest)}`);
  }
  assertNear(symmetricEigenvalues(new Float64Array(100).fill(3), 10), [30, ...Array(9).fill(0)]);
});

Deno.test("eigenvalues scale with the matrix, however large or small its numbers", () => {
  const matrix = random(12, 12, 3);
  const expected = symmetricEigenvalues(matrix, 12);
  for (const power of [-900, -300, 300, 900]) {
    const values = symmetricEigenvalues(matrix.map((x) => x * 2 ** power), 12);
    assertEquals(values.map((x) => x / 2 ** power), expected, `2^${power}`);
  }
});

Deno.test("only the lower triangle is read", () => {
  assertEquals(
    symmetricEigenvalues(Float64Array.of(1, 99, 2, 3), 2),
    symmetricEigenvalues(Float64Array.of(1, 2, 2, 3), 2),
  );
});

Deno.test("what is no square matrix of finite numbers is refused", () => {
  const cannot = "Cannot compute eigenvalues";
  assertThrows(() => symmetricEigenvalues(new Float64Array(6), 2), RangeError, cannot);
  assertThrows(() => symmetricEigenvalues(new Float64Array(0), 0), RangeError, cannot);
  for (const bad of [NaN, Infinity, -Infinity]) {
    const matrix = Float64Array.of(1, 0, bad, 1);
    assertThrows(() => symmetricEigenvalues(matrix, 2), RangeError, `has ${bad}`);
  }
});
