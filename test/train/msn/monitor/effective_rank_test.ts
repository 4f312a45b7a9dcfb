import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { effectiveRank } from "../../../../src/train/msn/monitor/effective_rank.ts";
import { uniform } from "../../../random.ts";

/** ± a spread along each axis, [2 axes, size], so that the singular values are √2 times the spreads. */
function axes(spreads: readonly number[], size: number, offset = 0): Float32Array[] {
  return spreads.flatMap((spread, axis) =>
    [spread, -spread].map((x) =>
      new Float32Array(size).fill(offset).fill(offset + x, axis, axis + 1)
    )
  );
}

function random(count: number, size: number, seed: number): Float32Array[] {
  const number = uniform(seed);
  return Array.from(
    { length: count },
    () => Float32Array.from({ length: size }, () => number() - 0.5),
  );
}

Deno.test("r directions of equal spread have rank r, wherever their mean is", () => {
  for (const rank of [1, 2, 5, 16]) {
    for (const size of [16, 100]) { // covariance, or Gram matrix
      const features = axes(Array(rank).fill(0.25), size);
      assertAlmostEquals(effectiveRank(features), rank, 1e-9, `${rank} of ${size}`);
      const moved = axes(Array(rank).fill(0.25), size, 8);
      assertAlmostEquals(effectiveRank(moved), rank, 1e-9, `${rank} of ${size}`);
    }
  }
});

Deno.test("the rank is the exponential of the singular values' entropy", () => {
  // 4, 2 and 1 of 7: exp(-Σ p log p)
  const expected = Math.exp(4 / 7 * Math.log(7 / 4) + 2 / 7 * Math.log(7 / 2) + Math.log(7) / 7);
  assertAlmostEquals(effectiveRank(axes([4, 2, 1], 3)), expected, 1e-9);
  assertAlmostEquals(effectiveRank(axes([4, 2, 1], 30)), expected, 1e-9);
  assertAlmostEquals(effectiveRank(axes([4, 2, 1].map((x) => x * 1e-6), 30)), expected, 1e-6);
});

Deno.test("random features nearly have the full rank, projected ones that of the projection", () => {
  const features = random(600, 20, 1);
  const rank = effectiveRank(features);
  assert(rank > 19.5 && rank < 20, `${rank}`);
  const few = effectiveRank(random(15, 40, 2)); // 14 after centring
  assert(few > 13 && few < 14, `${few}`);
  const repeated = features.map((f) => Float32Array.from({ length: 200 }, (_, i) => f[i % 20]!));
  assertAlmostEquals(effectiveRank(repeated), rank, 1e-6);
});

Deno.test("features that do not differ, but for rounding, have rank 1", () => {
  const [feature] = random(1, 64, 3);
  assertEquals(effectiveRank([feature!]), 1);
  assertEquals(effectiveRank(Array(100).fill(feature)), 1);
  assertEquals(effectiveRank([new Float32Array(4), new Float32Array(4)]), 1);
  const noise = random(100, 64, 4);
  const near = (size: number) => noise.map((row) => row.map((x, i) => feature![i]! + size * x));
  assertEquals(effectiveRank(near(1e-6)), 1);
  assert(effectiveRank(near(1e-3)) > 40);
});

Deno.test("no features, other lengths and numbers that are not finite are refused", () => {
  const cannot = "Cannot measure the effective rank";
  assertThrows(() => effectiveRank([]), RangeError, `${cannot}: there are no features`);
  assertThrows(() => effectiveRank([new Float32Array(0)]), RangeError, cannot);
  for (const bad of [NaN, Infinity, -Infinity]) {
    assertThrows(() => effectiveRank([Float32Array.of(1, bad)]), RangeError, "not finite");
  }
  const ragged = [new Float32Array(2), new Float32Array(3)];
  assertThrows(() => effectiveRank(ragged), RangeError, "feature 1 has 3 numbers");
});
