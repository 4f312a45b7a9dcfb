import { assertAlmostEquals, assertEquals } from "@std/assert";
import { clipFactor } from "../../src/train/clip.ts";

Deno.test("clipFactor() makes long gradients as long as the maximum, and leaves short ones", () => {
  assertAlmostEquals(4 * clipFactor(4, 1), 1, 1e-6);
  assertAlmostEquals(4 * clipFactor(4, 3), 3, 1e-5);
  assertEquals(clipFactor(0.5, 1), 1);
  assertEquals(clipFactor(0, 1), 1);
  assertEquals(clipFactor(1, 1), 1 / (1 + 1e-6));
});
