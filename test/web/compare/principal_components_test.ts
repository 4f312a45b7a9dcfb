import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { principalComponents } from "../../../src/web/compare/principal_components.ts";
import { symmetricEigenvalues } from "../../../src/tensor/symmetric_eigenvalues.ts";
import { uniform } from "../../random.ts";

const [N, D] = [200, 24];

function samples(): Float32Array {
  const random = uniform(3);
  return Float32Array.from({ length: N * D }, (_, i) => (random() - 0.5) * (1 + i % D) + 5);
}

Deno.test("the variances of both components are the largest eigenvalues of the covariance", () => {
  const vectors = samples();
  const points = principalComponents(vectors, D);
  const mean = Array.from(
    { length: D },
    (_, d) => vectors.reduce((sum, x, i) => i % D === d ? sum + x : sum, 0) / N,
  );
  const covariance = Float64Array.from({ length: D * D }, (_, at) => {
    const [r, c] = [Math.floor(at / D), at % D];
    let sum = 0;
    for (let i = 0; i < N; i++) {
      sum += (vectors[i * D + r]! - mean[r]!) * (vectors[i * D + c]! - mean[c]!);
    }
    return sum;
  });
  const values = symmetricEigenvalues(covariance, D);
  for (const a of [0, 1]) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < N; i++) {
      sum += points[2 * i + a]!;
      squares += points[2 * i + a]! ** 2;
    }
    assertAlmostEquals(sum / N, 0, 1e-4);
    assertAlmostEquals(squares / values[a]!, 1, 1e-4);
  }
});

Deno.test("the map is the same every time, and equal photos lie at one place", () => {
  const vectors = samples();
  assertEquals(principalComponents(vectors, D), principalComponents(vectors, D));
  assertEquals(principalComponents(new Float32Array(3 * D).fill(2), D), new Float32Array(6));
  assertEquals(principalComponents(new Float32Array(), D), new Float32Array());
  assertEquals(principalComponents(Float32Array.of(1, 2, 3), 3), new Float32Array(2));
});

Deno.test("vectors of another length are refused", () => {
  assertThrows(() => principalComponents(new Float32Array(5), 2), RangeError, "no vectors of 2");
});

Deno.test("vectors of one dimension have one component", () => {
  const points = principalComponents(Float32Array.of(1, 3), 1);
  assert(Math.abs(points[0]! - points[2]!) === 2);
  assertEquals([points[1], points[3]], [0, 0]);
});
