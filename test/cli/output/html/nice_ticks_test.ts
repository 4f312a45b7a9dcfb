import { assert, assertEquals } from "@std/assert";
import { niceTicks } from "../../../../src/cli/output/html/nice_ticks.ts";

Deno.test("ticks are at round numbers and enclose the range", () => {
  assertEquals(niceTicks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assertEquals(niceTicks(0, 2.31, 5), [0, 0.5, 1, 1.5, 2, 2.5]);
  assertEquals(niceTicks(-3, 8, 3), [-5, 0, 5, 10]);
  assertEquals(niceTicks(0, 1e-4, 2), [0, 5e-5, 1e-4]);
});

Deno.test("ticks rise, are finite and few, for ranges of any size", () => {
  const values = [
    -1e300,
    -5,
    -1,
    -1e-9,
    0,
    5e-324,
    1e-200,
    0.1,
    1,
    1 + 1e-12,
    1e8,
    1e8 + 1e-6,
    1e300,
  ];
  for (const low of values) {
    for (const high of values.filter((value) => value >= low)) {
      const ticks = niceTicks(low, high, 5);
      const text = `${low} to ${high}: ${ticks}`;
      assert(ticks.length >= 2 && ticks.length <= 9, text);
      assert(ticks.every(Number.isFinite), text);
      assert(ticks.every((tick, i) => i === 0 || tick > ticks[i - 1]!), text);
      const rounding = 1e-8 * (high - low);
      assert(ticks[0]! <= low + rounding && ticks.at(-1)! >= high - rounding, text);
    }
  }
});
