import { assertEquals } from "@std/assert";
import { l2Normalize } from "../../src/tensor/l2_normalize.ts";

Deno.test("l2Normalize() leaves a vector of zeros as it is", () => {
  assertEquals(l2Normalize(new Float32Array(3)), new Float32Array(3));
});
