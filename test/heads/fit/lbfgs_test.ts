import { assert, assertEquals } from "@std/assert";
import { minimize } from "../../../src/heads/fit/lbfgs.ts";

Deno.test("minimize() finds the minimum of a quadratic of very different scales", () => {
  const scales = Float64Array.from({ length: 20 }, (_, i) => 10 ** (i / 4 - 2));
  const { x, gradientNorm, converged } = minimize((x, gradient) => {
    let value = 0;
    scales.forEach((scale, i) => {
      gradient[i] = scale * (x[i]! - i);
      value += scale * (x[i]! - i) ** 2 / 2;
    });
    return value;
  }, new Float64Array(20));
  assert(converged && gradientNorm < 1e-7, `${gradientNorm}`);
  x.forEach((value, i) => assert(Math.abs(value - i) < 1e-4, `${i}: ${value}`));
});

Deno.test("minimize() says that it has not converged when it runs out of steps", () => {
  const { converged, iterations } = minimize(
    ([x], gradient) => {
      gradient[0] = 4 * x! ** 3;
      return x! ** 4;
    },
    Float64Array.of(1000),
    { maxIterations: 2 },
  );
  assertEquals([converged, iterations], [false, 2]);
});

Deno.test("minimize() stays where it is if that is the minimum", () => {
  const start = Float64Array.of(3);
  const { x, iterations } = minimize((_, gradient) => {
    gradient[0] = 0;
    return 5;
  }, start);
  assertEquals([x[0], iterations], [3, 0]);
});
