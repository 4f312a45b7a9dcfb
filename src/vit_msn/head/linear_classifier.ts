import type { Tensor } from "../../tensor/tensor.ts";
import { inverseWeights, type LayerNormWeights } from "../layer_norm.ts";
import type { HeadParameters, HeadTensors } from "./head_parameters.ts";

/** The weight [K, D] and the bias [K] of a linear map. */
export type Linear = Required<Pick<HeadTensors, "weight" | "bias">>;

/**
 * A head as the classifier of Hugging Face's `ViTMSNForImageClassification`, which is linear in the final
 * LayerNorm's output `y = w x̂ + b`. The head is linear in the feature `f`, and `x̂` has its direction and the
 * length √D, so the head's calibrated logits are linear in `y`, too:
 *
 *     z / T = (W f + c) / T, f = (y - b) / (w √D)
 *     classifier.weight = W / (T √D w), classifier.bias = c / T - classifier.weight b
 *
 * The LayerNorm's ε is neglected: it makes `x̂` shorter by the factor `√(var / (var + ε))`, where `var` is the
 * variance of the LayerNorm's input. With the usual ε of 1e-6 and a variance of 1, `W f` changes by 5e-7 of itself.
 *
 * @returns the classifier's weight [K, D] and bias [K].
 * @throws {TypeError} if the head is `knn`, which is not linear.
 * @throws {RangeError} if a weight of the LayerNorm is too close to 0 to divide by.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { HeadParameters } from "./head_parameters.ts";
 * import { toLinearClassifier } from "./linear_classifier.ts";
 *
 * const matrix = (...data: number[]) =>
 *   ({ dtype: "float32", shape: [2, 4], data: Float32Array.from(data) }) as const;
 * const weight = matrix(4, 0, 0, 0, 0, 8, 0, 0);
 * const bias = { dtype: "float32", shape: [2], data: Float32Array.of(3, 0) } as const;
 * const head: HeadParameters = {
 *   settings: {
 *     method: "ridge",
 *     labels: ["ant", "bee"],
 *     counts: [1, 1],
 *     temperature: 1,
 *     calibrated: false,
 *   },
 *   tensors: { weight, bias, means: weight },
 * };
 * const layerNorm = { weight: Float32Array.of(1, 2, 1, 1), bias: Float32Array.of(1, 0, 0, 0) };
 * const classifier = toLinearClassifier(head, layerNorm);
 * assertEquals(classifier.weight, matrix(2, 0, 0, 0, 0, 2, 0, 0));
 * assertEquals(classifier.bias.data, Float32Array.of(1, 0));
 * ```
 */
export function toLinearClassifier(
  { settings: { method, temperature: T }, tensors }: HeadParameters,
  layerNorm: LayerNormWeights,
): Linear {
  const { weight: W, bias: c } = tensors;
  if (method === "knn" || !W || !c) {
    throw new TypeError(
      "Cannot make a linear classifier of the head: knn lets the nearest photos vote, which is not linear; " +
        "fit the head with `deno task fit … --method logistic`, prototypes or ridge",
    );
  }
  const inverse = exactInverse(layerNorm);
  const scale = T * Math.sqrt(inverse.length);
  return linear(W, (k, d, D) => W.data[k * D + d]! * inverse[d]! / scale, (k, row) => {
    return c.data[k]! / T - dot(row, layerNorm.bias);
  });
}

/**
 * The inverse of {@linkcode toLinearClassifier}: a classifier of the LayerNorm's output as the weight and the
 * bias of a head on features, whose temperature is 1.
 *
 *     weight = √D classifier.weight w, bias = classifier.bias + classifier.weight b
 *
 * @param classifier its weight [K, D] and bias [K].
 * @returns the head's weight [K, D] and bias [K].
 * @throws {RangeError} if a weight of the LayerNorm is too close to 0: features lack its channel.
 */
export function fromLinearClassifier(
  { weight: C, bias: c }: Linear,
  layerNorm: LayerNormWeights,
): Linear {
  exactInverse(layerNorm);
  const { weight: w, bias: b } = layerNorm;
  const scale = Math.sqrt(w.length);
  return linear(C, (k, d, D) => C.data[k * D + d]! * w[d]! * scale, (k) => {
    const row = C.data.subarray(k * b.length, (k + 1) * b.length);
    return c.data[k]! + dot(row, b);
  });
}

/** Computes in float64 and rounds once; the bias gets its row of the weight before it is rounded. */
function linear(
  { shape: [K = 0, D = 0] }: Tensor<"float32">,
  weightAt: (k: number, d: number, D: number) => number,
  biasAt: (k: number, row: Float64Array) => number,
): Linear {
  const weight = new Float32Array(K * D);
  const bias = new Float32Array(K);
  for (let k = 0; k < K; k++) {
    const row = Float64Array.from({ length: D }, (_, d) => weightAt(k, d, D));
    weight.set(row, k * D);
    bias[k] = biasAt(k, row);
  }
  if (!weight.every(Number.isFinite) || !bias.every(Number.isFinite)) {
    throw new RangeError(
      "Cannot convert the classifier: some of its numbers would be too large for float32; fit it again",
    );
  }
  return {
    weight: { dtype: "float32", shape: [K, D], data: weight },
    bias: { dtype: "float32", shape: [K], data: bias },
  };
}

/** @throws {RangeError} if a channel cannot be recovered from the LayerNorm's output. */
function exactInverse(layerNorm: LayerNormWeights): Float64Array {
  const lost = inverseWeights(layerNorm).indexOf(0);
  if (lost < 0) return Float64Array.from(layerNorm.weight, (w) => 1 / w);
  throw new RangeError(
    `Cannot convert the classifier: the final LayerNorm's weight ${lost} is ${
      layerNorm.weight[lost]
    }, too close to 0 to recover the feature from its output; use another backbone`,
  );
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
