import { assertAlmostEquals, assertEquals } from "@std/assert";
import { cosine, nearest } from "../../../src/web/compare/cosine.ts";

Deno.test("the cosine does not depend on lengths", () => {
  assertAlmostEquals(cosine(Float32Array.of(1, 0), Float32Array.of(5, 5)), Math.SQRT1_2, 1e-12);
  assertEquals(cosine(Float32Array.of(1, 2), Float32Array.of(-2, -4)), -1);
  assertEquals(cosine(Float32Array.of(1, 2), new Float32Array(2)), 0);
});

Deno.test("the nearest come best first, and of equals the first", () => {
  const vectors = [[0, 1], [1, 0], [2, 0], [1, 1]].map((v) => Float32Array.from(v));
  assertEquals(
    nearest(Float32Array.of(1, 0), vectors, 3).map(({ index }) => index),
    [1, 2, 3],
  );
});
