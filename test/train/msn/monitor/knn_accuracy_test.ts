import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  knnAccuracy,
  type LabelledFeatures,
} from "../../../../src/train/msn/monitor/knn_accuracy.ts";
import { uniform } from "../../../random.ts";

/** Features of two numbers at angles in degrees. */
function at(angles: readonly number[], labels: readonly number[]): LabelledFeatures {
  const features = angles.map((angle) => {
    const radians = angle * Math.PI / 180;
    return Float32Array.of(Math.cos(radians), Math.sin(radians));
  });
  return { features, labels };
}

/** Noisy copies of one random direction a class. */
function clusters(count: number, size: number, classes: number, noise: number, seed: number) {
  const number = uniform(seed);
  const vector = () => Float32Array.from({ length: size }, () => number() - 0.5);
  const centers = Array.from({ length: classes }, vector);
  const draw = (from: number): LabelledFeatures => {
    const labels = Array.from({ length: count }, (_, i) => (i + from) % classes);
    const features = labels.map((label) => {
      const center = centers[label]!;
      return vector().map((x, i) => noise * x + center[i]!);
    });
    return { features, labels };
  };
  return { support: draw(0), queries: draw(1) };
}

/** The same without any shortcut. */
function plain(support: LabelledFeatures, queries: LabelledFeatures, k: number, t: number): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const right = queries.features.filter((query, q) => {
    const near = support.features
      .map((s, i) => ({ similarity: dot(query, s) / Math.sqrt(dot(query, query) * dot(s, s)), i }))
      .sort((a, b) => b.similarity - a.similarity || a.i - b.i)
      .slice(0, k);
    const votes = new Map<number, number>();
    for (const { similarity, i } of near) {
      const label = support.labels[i]!;
      votes.set(label, (votes.get(label) ?? 0) + Math.exp(similarity / t));
    }
    return [...votes].sort((a, b) => b[1] - a[1])[0]![0] === queries.labels[q];
  });
  return right.length / queries.features.length;
}

Deno.test("the accuracy is that of the definition", () => {
  const { support, queries } = clusters(300, 24, 7, 4, 5);
  for (const [k, temperature] of [[1, 0.07], [5, 0.07], [20, 0.5], [300, 0.07]] as const) {
    const accuracy = knnAccuracy(support, queries, { k, temperature, classes: 7 });
    assertEquals(accuracy, plain(support, queries, k, temperature), `k ${k}`);
    assert(accuracy > 0.2 && accuracy < 1, `${accuracy}`);
  }
});

Deno.test("separated classes are all right, features without information are at chance", () => {
  const separated = clusters(100, 16, 5, 0.1, 1);
  assertEquals(knnAccuracy(separated.support, separated.queries, { classes: 5 }), 1);
  const same = at(Array(8).fill(30), [0, 1, 2, 3, 0, 1, 2, 3]);
  assertEquals(knnAccuracy(same, same, { classes: 4 }), 1 / 4);
});

Deno.test("near neighbours outvote a far majority, the more the lower the temperature", () => {
  const support = at([0, 40, 42, -41], [0, 1, 1, 1]);
  const queries = at([0], [0]);
  assertEquals(knnAccuracy(support, queries, { classes: 2 }), 1);
  assertEquals(knnAccuracy(support, queries, { classes: 2, temperature: 1 }), 0);
  assertEquals(knnAccuracy(support, queries, { classes: 2, temperature: 1, k: 1 }), 1);
  assertEquals(knnAccuracy(support, queries, { classes: 2, temperature: 1e-6 }), 1);
  // e^((1 - cos 30°) / 0.07) is 6.8: six others lose, seven win.
  const closer = at([0, 30, 30, -30, -30, 30, -30, 30], [0, 1, 1, 1, 1, 1, 1, 1]);
  assertEquals(knnAccuracy(closer, queries, { classes: 2, k: 7 }), 1);
  assertEquals(knnAccuracy(closer, queries, { classes: 2, k: 8 }), 0);
});

Deno.test("cosine similarity does not see lengths, and a zero feature is like nothing", () => {
  const { support, queries } = clusters(60, 8, 3, 0.5, 2);
  const longer = {
    ...support,
    features: support.features.map((f, i) => f.map((x) => x * 2 ** (i % 5 * 10 - 20))),
  };
  assertEquals(
    knnAccuracy(longer, queries, { classes: 3 }),
    knnAccuracy(support, queries, { classes: 3 }),
  );
  const zero = { features: [new Float32Array(2), Float32Array.of(1, 0)], labels: [1, 0] };
  assertEquals(knnAccuracy(zero, at([10], [0]), { classes: 2, k: 1 }), 1);
});

Deno.test("of equals, the first support and the nearest support's class win", () => {
  const query = at([0], [1]);
  assertEquals(knnAccuracy(at([20, 20], [1, 0]), query, { classes: 2, k: 1 }), 1);
  assertEquals(knnAccuracy(at([20, 20], [0, 1]), query, { classes: 2, k: 1 }), 0);
  assertEquals(knnAccuracy(at([20, 20], [1, 0]), query, { classes: 2, k: 2 }), 1);
  assertEquals(knnAccuracy(at([20, 20], [0, 1]), query, { classes: 2, k: 2 }), 0);
});

Deno.test("bad input is refused with what is wrong", () => {
  const good = at([0, 90], [0, 1]);
  const none = { features: [], labels: [] };
  const refuse = (message: string, run: () => number) => assertThrows(run, RangeError, message);
  refuse("there are no supports", () => knnAccuracy(none, good, { classes: 2 }));
  refuse("there are no queries", () => knnAccuracy(good, none, { classes: 2 }));
  refuse("is 1, of 1 classes", () => knnAccuracy(good, good, { classes: 1 }));
  refuse("is 0.5", () => knnAccuracy(good, at([0], [0.5]), { classes: 2 }));
  refuse("k is 0", () => knnAccuracy(good, good, { classes: 2, k: 0 }));
  refuse("k is 1.5", () => knnAccuracy(good, good, { classes: 2, k: 1.5 }));
  refuse("temperature is 0", () => knnAccuracy(good, good, { classes: 2, temperature: 0 }));
  refuse(
    "2 features and 1 labels",
    () => knnAccuracy({ ...good, labels: [0] }, good, { classes: 2 }),
  );
  refuse("not finite", () => knnAccuracy(good, at([NaN], [0]), { classes: 2 }));
  const wide = { features: [new Float32Array(3)], labels: [0] };
  refuse("Cannot", () => knnAccuracy(good, wide, { classes: 2 }));
});
