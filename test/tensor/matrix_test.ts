import { assertEquals, assertThrows } from "@std/assert";
import { matmul, type Matrix, matrixOf, rowOf, transpose } from "../../src/tensor/matrix.ts";
import { uniform } from "../../src/tensor/random.ts";

function random(rows: number, columns: number, seed: number): Matrix {
  const next = uniform(seed);
  const data = Float64Array.from({ length: rows * columns }, () => next() - 0.5);
  return { rows, columns, data };
}

for (
  const [m, k, n] of [[1, 1, 1], [5, 3, 4], [6, 7, 5], [4, 1, 9], [11, 64, 3], [3, 0, 2]] as const
) {
  Deno.test(`matmul() of [${m}, ${k}] and [${k}, ${n}] is the sum in order, bit by bit`, () => {
    const [a, b] = [random(m, k, 1), random(k, n, 2)];
    const expected = Array.from({ length: m * n }, (_, index) => {
      const [i, j] = [Math.floor(index / n), index % n];
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a.data[i * k + l]! * b.data[l * n + j]!;
      return sum;
    });
    // What an earlier product has left in memory plays no part.
    matmul(random(9, 70, 3), { rows: 70, columns: 9, data: new Float64Array(630).fill(NaN) });
    assertEquals([...matmul(a, b).data], expected);
  });
}

Deno.test("matmul() refuses shapes that do not fit", () => {
  assertThrows(() => matmul(random(2, 3, 1), random(2, 3, 1)), RangeError, "[2, 3] by [2, 3]");
});

Deno.test("transpose() exchanges rows and columns", () => {
  const matrix = matrixOf([[1, 2, 3], [4, 5, 6]]);
  assertEquals([...transpose(matrix).data], [1, 4, 2, 5, 3, 6]);
  assertEquals([...rowOf(transpose(matrix), 2)], [3, 6]);
});
