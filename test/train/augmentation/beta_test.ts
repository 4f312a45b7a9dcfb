import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { beta } from "../../../src/train/augmentation/beta.ts";
import { uniform } from "../../random.ts";

for (const [a, b] of [[1, 1], [0.8, 0.8], [0.2, 0.2], [5, 2], [0.5, 3], [40, 60]] as const) {
  Deno.test(`beta(${a}, ${b}) has the distribution's mean, variance and range`, () => {
    const random = uniform(1);
    const draws = Array.from({ length: 20_000 }, () => beta(a, b, random));
    const mean = draws.reduce((x, y) => x + y) / draws.length;
    const variance = draws.reduce((x, y) => x + (y - mean) ** 2, 0) / draws.length;
    assert(draws.every((x) => x >= 0 && x <= 1));
    assertAlmostEquals(mean, a / (a + b), 0.01);
    const expected = a * b / ((a + b) ** 2 * (a + b + 1));
    assertAlmostEquals(variance / expected, 1, 0.05);
  });
}

Deno.test("beta(1, 1) is uniform", () => {
  const random = uniform(2);
  const counts = new Uint32Array(10);
  for (let i = 0; i < 20_000; i++) counts[Math.floor(10 * beta(1, 1, random))]!++;
  for (const count of counts) assertAlmostEquals(count, 2000, 200);
});

Deno.test("beta() of tiny parameters is near 0 or 1, and of huge ones the mean", () => {
  const random = uniform(3);
  const draws = Array.from({ length: 1000 }, () => beta(1e-6, 1e-6, random));
  assert(draws.every((x) => x < 1e-6 || x > 1 - 1e-6));
  assertAlmostEquals(draws.reduce((x, y) => x + y) / 1000, 0.5, 0.06);
  assertAlmostEquals(beta(1e12, 1e12, random), 0.5, 1e-4);
});

Deno.test("beta() refuses parameters out of range", () => {
  for (const parameter of [0, -1, 1e-7, NaN, Infinity]) {
    assertThrows(() => beta(parameter, 1, uniform(1)), RangeError, "Beta");
    assertThrows(() => beta(1, parameter, uniform(1)), RangeError, "Beta");
  }
});
