import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { matmul, matrixOf, rowOf, transpose } from "../../src/tensor/matrix.ts";
import { fitCandidates } from "../../src/heads/fit/method.ts";
import { classMeans } from "../../src/heads/fit/prototypes.ts";
import { Ridge } from "../../src/heads/fit/ridge.ts";
import { toSamples } from "../../src/heads/fit/samples.ts";
import { scoresOf } from "../../src/heads/scorer.ts";
import { maxDifference } from "../golden/golden.ts";
import { clusters } from "./fit/samples.ts";

function samplesOf(perClass: number, size: number) {
  const { features, labels } = clusters({ a: perClass, b: perClass + 1, c: perClass }, { size });
  const classes = labels.map((label) => "abc".indexOf(label));
  return toSamples(matrixOf(features), classes, 3, "balanced");
}

for (const [perClass, size] of [[3, 32], [20, 8]] as const) {
  const kind = 3 * perClass < size ? "fewer samples than channels" : "more samples than channels";
  Deno.test(`Ridge solves its normal equations, ${kind}`, () => {
    const samples = samplesOf(perClass, size);
    const { weight, bias } = new Ridge(samples).fit(0.5);
    // The gradient by W and by b is 0: Σ w (W f + b - y) fᵀ + λ W, Σ w (W f + b - y).
    const residuals = matmul(samples.features, transpose(weight));
    for (let i = 0; i < residuals.rows; i++) {
      const row = rowOf(residuals, i);
      row.forEach((z, k) =>
        row[k] = samples.weights[i]! * (z + bias[k]! - +(samples.classes[i] === k))
      );
    }
    const byWeight = matmul(transpose(residuals), samples.features).data
      .map((g, i) => g + 0.5 * weight.data[i]!);
    const byBias = matmul(
      { rows: 1, columns: residuals.rows, data: new Float64Array(residuals.rows).fill(1) },
      residuals,
    ).data;
    assert(maxDifference(byWeight, new Float64Array(byWeight.length)) < 1e-10);
    assert(maxDifference(byBias, new Float64Array(3)) < 1e-10);
    assertThrows(() => new Ridge(samples).fit(0), RangeError, "l2 is 0");
  });
}

Deno.test("prototypes score by the direction of each class mean from the middle of all", () => {
  const samples = samplesOf(4, 8);
  const [{ scorer }] = fitCandidates(samples, [{ method: "prototypes" }], { final: true }) as [
    ReturnType<typeof fitCandidates>[number],
  ];
  const means = classMeans(samples);
  const feature = rowOf(samples.features, 0);
  const middle = feature.map((_, d) =>
    [0, 1, 2].reduce((sum, c) => sum + rowOf(means, c)[d]! / 3, 0)
  );
  const scores = scoresOf(scorer, matrixOf([feature])).data;
  for (let c = 0; c < 3; c++) {
    const own = samples.classes.flatMap((other, i) => other === c ? [i] : []);
    const mean = feature.map((_, d) =>
      own.reduce((sum, i) => sum + rowOf(samples.features, i)[d]!, 0) / own.length
    );
    assert(maxDifference(rowOf(means, c), mean) < 1e-12);
    const direction = mean.map((x, d) => x - middle[d]!);
    const dot = direction.reduce((sum, x, d) => sum + x * (feature[d]! - middle[d]!), 0);
    assertAlmostEquals(scores[c]!, dot / Math.hypot(...direction) / 0.1, 1e-9);
  }
});

Deno.test("k-NN lets the k most similar vote, by their similarity", () => {
  const features = [[1, 0], [0.8, 0.6], [0, 1]].map((row) => Float32Array.from(row));
  const samples = toSamples(matrixOf(features), [0, 1, 2], 3, "none");
  const score = (k: number) => {
    const fits = fitCandidates(samples, [{ method: "knn", k }], { final: true });
    return [...scoresOf(fits[0]!.scorer, matrixOf([features[0]!])).data];
  };
  const near = Math.exp((0.8 - 1) / 0.07);
  const logs = (...votes: number[]) => votes.map((vote) => Math.log(vote + 1e-3));
  const close = (actual: number[], expected: number[]) =>
    assert(maxDifference(actual, expected) < 1e-6, `${actual}`);
  close(score(1), logs(1, 0, 0));
  close(score(2), logs(1, near, 0));
  close(score(50), logs(1, near, Math.exp(-1 / 0.07)));
});

Deno.test("k-NN lets the equals of the k-th vote, too", () => {
  const features = [[1, 0], [1, 0], [1, 0]].map((row) => Float32Array.from(row));
  const samples = toSamples(matrixOf(features), [0, 1, 1], 2, "none");
  const [fit] = fitCandidates(samples, [{ method: "knn", k: 1 }], { final: true });
  const scores = scoresOf(fit!.scorer, matrixOf([features[0]!])).data;
  assertEquals([...scores], [Math.log(1 + 1e-3), Math.log(2 + 1e-3)]);
});
