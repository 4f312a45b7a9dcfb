import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { fitLogistic } from "../../../src/heads/fit/logistic.ts";
import { matmul, type Matrix, matrixOf, rowOf, transpose } from "../../../src/tensor/matrix.ts";
import { toSamples } from "../../../src/heads/fit/samples.ts";
import { softmax } from "../../../src/tensor/softmax.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { maxDifference, readGolden } from "../../golden/golden.ts";
import { clusters } from "./samples.ts";

const golden = readGolden("heads.safetensors");

/** Centred and of length 1, as the paper has them. */
function features(name: string): Matrix {
  const { shape: [n, D], data } = golden.get(name) as Tensor<"float32">;
  return matrixOf(Array.from({ length: n! }, (_, i) => {
    const row = Float64Array.from(data.subarray(i * D!, (i + 1) * D!));
    const mean = row.reduce((sum, x) => sum + x, 0) / D!;
    const length = Math.hypot(...row.map((x) => x - mean));
    return row.map((x) => (x - mean) / length);
  }));
}

const classes = [...golden.get("support_labels")!.data as BigInt64Array].map(Number);
const samples = toSamples(features("support"), classes, 5, "balanced");

for (const l2 of ["0.00025", "0.0025", "0.075", "1.0"]) {
  Deno.test(`fitLogistic() finds scikit-learn's probabilities, l2 ${l2}`, () => {
    const { weight, gradientNorm, converged } = fitLogistic(samples, { l2: Number(l2) });
    const logits = matmul(features("query"), transpose(weight));
    const probabilities = Array.from({ length: logits.rows }, (_, i) => [
      ...softmax(rowOf(logits, i)),
    ]).flat();
    const expected = golden.get(`probabilities_lambd_${l2}`) as Tensor<"float32">;
    const difference = maxDifference(probabilities, expected.data);
    assert(difference < 1e-4, `${difference}`);
    assert(converged && gradientNorm < 1e-8, `${gradientNorm}`);
  });
}

Deno.test("fitLogistic() states the objective's value, and no other weights have a smaller one", () => {
  const { weight, objective } = fitLogistic(samples, { l2: 0.075 });
  const at = (W: Matrix) => {
    const logits = matmul(samples.features, transpose(W));
    const loss = classes.reduce((sum, c, i) => sum - Math.log(softmax(rowOf(logits, i))[c]!), 0);
    const squares = W.data.reduce((sum, w) => sum + w * w, 0);
    return loss / classes.length + 0.075 / classes.length / 2 * squares;
  };
  assertAlmostEquals(at(weight), objective, 1e-12);
  for (const [j, shift] of [[0, 1e-3], [17, -1e-3], [200, 0.1]] as const) {
    const moved = { ...weight, data: weight.data.map((w, i) => i === j ? w + shift : w) };
    assert(at(moved) > objective);
  }
});

Deno.test("a balanced fit is that of each class as often as the others", () => {
  const { features, labels } = clusters({ a: 2, b: 6 }, { noise: 2 });
  const ids = labels.map((label) => label === "a" ? 0 : 1);
  const fit = (rows: Float32Array[], classes: number[], weight: "balanced" | "none") =>
    fitLogistic(toSamples(matrixOf(rows), classes, 2, weight), { l2: 1 }).weight.data;
  const thrice = [...features.slice(0, 2), ...features.slice(0, 2), ...features];
  const balanced = fitLogistic(toSamples(matrixOf(features), ids, 2, "balanced"), { l2: 8 });
  const repeated = fitLogistic(
    toSamples(matrixOf(thrice), [0, 0, 0, 0, ...ids], 2, "none"),
    { l2: 12 },
  );
  assert(maxDifference(balanced.weight.data, repeated.weight.data) < 1e-6);
  assert(maxDifference(fit(features, ids, "balanced"), fit(features, ids, "none")) > 1e-3);
});

Deno.test("fitLogistic() refuses a penalty that is none", () => {
  for (const l2 of [0, -1, NaN, Infinity]) {
    assertThrows(() => fitLogistic(samples, { l2 }), RangeError, `l2 is ${l2}`);
  }
});
