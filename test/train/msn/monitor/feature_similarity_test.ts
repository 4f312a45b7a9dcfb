import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { featureSimilarity } from "../../../../src/train/msn/monitor/feature_similarity.ts";
import { uniform } from "../../../random.ts";

Deno.test("the similarity is the mean over all pairs", () => {
  const number = uniform(4);
  const features = Array.from(
    { length: 30 },
    () => Float32Array.from({ length: 9 }, () => number() - 0.2),
  );
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const pairs = features.flatMap((a, i) =>
    features.slice(i + 1).map((b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))
  );
  assertEquals(pairs.length, 435);
  const mean = pairs.reduce((sum, x) => sum + x) / pairs.length;
  assert(mean > 0.1 && mean < 0.9, `${mean}`);
  assertAlmostEquals(featureSimilarity(features), mean, 1e-12);
});

Deno.test("features of one direction are at 1, opposite ones at -1, zero ones at 0", () => {
  const feature = Float32Array.of(0.1, -0.7, 3);
  const same = featureSimilarity(
    Array.from({ length: 50 }, (_, i) => feature.map((x) => x * 2 ** i)),
  );
  assertAlmostEquals(same, 1, 1e-12);
  assert(same <= 1);
  assertAlmostEquals(featureSimilarity([feature, feature.map((x) => -x)]), -1, 1e-12);
  assertEquals(featureSimilarity([feature, new Float32Array(3)]), 0);
  assertEquals(featureSimilarity([new Float32Array(3), new Float32Array(3)]), 0);
});

Deno.test("one feature, other lengths and numbers that are not finite are refused", () => {
  assertThrows(() => featureSimilarity([]), RangeError, "there are 0");
  assertThrows(() => featureSimilarity([Float32Array.of(1)]), RangeError, "there are 1");
  const pair = (other: Float32Array) => () => featureSimilarity([Float32Array.of(1, 2), other]);
  assertThrows(pair(Float32Array.of(1)), RangeError, "has 1 numbers, the first has 2");
  assertThrows(
    pair(Float32Array.of(1, NaN)),
    RangeError,
    "feature 1 has a number that is not finite",
  );
});
