import { assertAlmostEquals, assertEquals } from "@std/assert";
import { sigmoid, softmax } from "../../src/tensor/softmax.ts";

Deno.test("softmax() neither overflows nor loses small probabilities", () => {
  assertEquals([...softmax([1000, 1000])], [0.5, 0.5]);
  const [small] = softmax([0, 100]);
  assertAlmostEquals(small! / Math.exp(-100), 1, 1e-12);
  assertAlmostEquals(softmax([0.3, -2, 5]).reduce((a, b) => a + b), 1, 1e-15);
});

Deno.test("sigmoid() goes to its limits without NaN", () => {
  assertEquals([...sigmoid([0, 1000, -1000])], [0.5, 1, 0]);
});
