import { assert, assertEquals, assertThrows } from "@std/assert";
import { toFeature } from "../../../src/heads/feature.ts";
import { fitHead } from "../../../src/heads/fit/fit_head.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { uniform } from "../../../src/tensor/random.ts";
import {
  fromLinearClassifier,
  toLinearClassifier,
} from "../../../src/vit_msn/head/linear_classifier.ts";
import type { LayerNormWeights } from "../../../src/vit_msn/layer_norm.ts";
import { maxDifference } from "../../golden/golden.ts";
import { clusters } from "../../heads/fit/samples.ts";

const D = 48;
const random = uniform(7);
const numbers = (size: number, from: number, to: number) =>
  Float32Array.from({ length: size }, () => from + (to - from) * random());
const layerNorm: LayerNormWeights = {
  weight: numbers(D, 0.2, 2).map((w, d) => d % 3 === 0 ? -w : w),
  bias: numbers(D, -1, 1),
};
const support = clusters({ ant: 8, bee: 5, cow: 6 }, { size: D, noise: 2 });

/** The output [D] of a LayerNorm with ε. */
function layerNormOf(
  x: Float32Array,
  { weight, bias }: LayerNormWeights,
  epsilon: number,
): Float32Array {
  const mean = x.reduce((sum, v) => sum + v, 0) / D;
  const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / D;
  return x.map((v, d) => (v - mean) / Math.sqrt(variance + epsilon) * weight[d]! + bias[d]!);
}

function logitsOf(
  { weight, bias }: { weight: Tensor<"float32">; bias: Tensor<"float32"> },
  x: Float32Array,
): Float32Array {
  return bias.data.map((b, k) =>
    x.reduce((sum, v, d) => sum + v * weight.data[k * x.length + d]!, b)
  );
}

for (const method of ["logistic", "prototypes", "ridge"] as const) {
  Deno.test(`the linear classifier of ${method} computes the head's calibrated logits`, () => {
    const { head } = fitHead(support, { method });
    const { settings, tensors } = head.parameters;
    const parameters = { settings: { ...settings, temperature: 0.3 }, tensors };
    const classifier = toLinearClassifier(parameters, layerNorm);
    assertEquals(classifier.weight.shape, [3, D]);
    for (let i = 0; i < 20; i++) {
      const y = layerNormOf(numbers(D, -2, 3), layerNorm, 0);
      const scores = logitsOf(tensors as Required<typeof tensors>, toFeature(y, layerNorm));
      const expected = scores.map((z) => z / 0.3);
      assert(maxDifference(logitsOf(classifier, y), expected) < 1e-4);
    }
  });
}

Deno.test("ε of the LayerNorm shortens W f by the factor that is documented", () => {
  const { parameters } = fitHead(support, { method: "ridge" }).head;
  const classifier = toLinearClassifier(parameters, layerNorm);
  const { temperature: T } = parameters.settings;
  const constant = parameters.tensors.bias!.data.map((b) => b / T);
  const x = numbers(D, -0.02, 0.02);
  const variance = x.reduce((sum, v) => sum + v * v, 0) / D -
    (x.reduce((sum, v) => sum + v, 0) / D) ** 2;
  const [exact, shortened] = [0, 1e-4].map((epsilon) => {
    const logits = logitsOf(classifier, layerNormOf(x, layerNorm, epsilon));
    return logits.map((z, k) => z - constant[k]!);
  });
  const factor = Math.sqrt(variance / (variance + 1e-4));
  assert(factor < 0.9);
  assert(maxDifference(shortened!, exact!.map((z) => z * factor)) < 1e-4);
});

Deno.test("a classifier as a head, and a head as a classifier, are each other's inverse", () => {
  const classifier = {
    weight: { dtype: "float32", shape: [3, D], data: numbers(3 * D, -1, 1) },
    bias: { dtype: "float32", shape: [3], data: numbers(3, -1, 1) },
  } as const;
  const linear = fromLinearClassifier(classifier, layerNorm);
  const y = layerNormOf(numbers(D, -2, 3), layerNorm, 0);
  const logits = logitsOf(linear, toFeature(y, layerNorm));
  assert(maxDifference(logits, logitsOf(classifier, y)) < 1e-4);

  const { head: { parameters: { settings } } } = fitHead(support, { method: "logistic" });
  const head = {
    settings: { ...settings, temperature: 1 },
    tensors: { ...linear, means: linear.weight },
  };
  const back = toLinearClassifier(head, layerNorm);
  assert(maxDifference(back.weight.data, classifier.weight.data) < 1e-6);
  assert(maxDifference(back.bias.data, classifier.bias.data) < 1e-5);
});

Deno.test("there is no linear classifier of knn, of lost channels and of too large numbers", () => {
  const knn = fitHead(support, { method: "knn" }).head.parameters;
  assertThrows(
    () => toLinearClassifier(knn, layerNorm),
    TypeError,
    "not linear; fit the head with `deno task fit … --method logistic`",
  );
  const { parameters } = fitHead(support, { method: "ridge" }).head;
  const { settings, tensors } = parameters;
  const linear = tensors as Required<typeof tensors>;
  for (const lost of [0, 1e-7]) {
    const weight = layerNorm.weight.with(5, lost);
    const message = "the final LayerNorm's weight 5 is ";
    for (
      const convert of [
        () => toLinearClassifier(parameters, { ...layerNorm, weight }),
        () => fromLinearClassifier(linear, { ...layerNorm, weight }),
      ]
    ) {
      assertThrows(convert, RangeError, message);
    }
  }
  const cold = { settings: { ...settings, temperature: 1e-39 }, tensors };
  assertThrows(() => toLinearClassifier(cold, layerNorm), RangeError, "too large for float32");
});
