import { toFloat32 } from "../tensor/float16.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ViTMSNWeights } from "./weights.ts";

/** The linear layers that read each LayerNorm of a block. */
const READERS = {
  layernorm_before: ["query", "key", "value"].map((role) => `attention.attention.${role}`),
  layernorm_after: ["intermediate.dense"],
} as const;

/** The assumed largest normalised value, in standard deviations: |LayerNorm| ≤ 4 |γ| + |β|. */
const REACH = 4;
/** α of SmoothQuant: how much of the range moves from the activations to the weights, from 0 to 1. */
const STRENGTH = 0.75;

/**
 * Applies SmoothQuant (https://arxiv.org/abs/2211.10438): scales outlier channels of the activations down, so
 * that a token quantised to 8 bits by its largest number keeps the precision of its other numbers. Each
 * channel is divided by s in the LayerNorm and multiplied by s in the columns of the matrices that read it,
 * which leaves the model's function unchanged. `s = a^0.75 / w^0.25`, with the channel's largest activation a
 * and largest weight w; a is estimated from the LayerNorm's parameters instead of measured.
 *
 * @returns new weights; those that change are float32.
 */
export function smoothQuant(weights: ViTMSNWeights): ViTMSNWeights {
  return rescaled(weights, scalesOf);
}

/**
 * Gives all channels of the blocks' LayerNorms the weight 1 or -1, and moves their size to the matrices that
 * read them. The model's function is unchanged, but an optimizer, whose steps have the same size for all
 * parameters, then moves all channels alike; {@linkcode smoothQuant} leaves weights of very different sizes.
 *
 * @returns new weights; those that change are float32.
 */
export function unsmooth(weights: ViTMSNWeights): ViTMSNWeights {
  return rescaled(weights, (gamma) => Float64Array.from(gamma, (w) => Math.abs(w) || 1));
}

/** The factor of each channel, by the LayerNorm's weight and bias and the matrices that read it. */
type Scales = (
  gamma: Float32Array,
  beta: Float32Array,
  matrices: readonly Float32Array[],
) => Float64Array;

/** Divides each channel of the blocks' LayerNorms by a factor, and multiplies its readers' columns by it. */
function rescaled(weights: ViTMSNWeights, scalesOf: Scales): ViTMSNWeights {
  const smoothed = new Map(weights);
  for (const name of weights.keys()) {
    const [, layer, norm] = /^(encoder\.layer\.\d+)\.(layernorm_\w+)\.weight$/.exec(name) ?? [];
    if (!layer) continue;
    const vectors = ["weight", "bias"].map((kind) => `${layer}.${norm}.${kind}`);
    const matrices = READERS[norm as keyof typeof READERS].map((part) => `${layer}.${part}.weight`);
    if (![...vectors, ...matrices].every((needed) => weights.has(needed))) continue;
    const [gamma, beta] = vectors.map((vector) => toFloat32(weights.get(vector)!)) as [
      Tensor<"float32">,
      Tensor<"float32">,
    ];
    const readers = matrices.map((matrix) => toFloat32(weights.get(matrix)!));
    const scales = scalesOf(gamma.data, beta.data, readers.map(({ data }) => data));
    vectors.forEach((vector, i) =>
      smoothed.set(vector, scaled([gamma, beta][i]!, scales, (x, s) => x / s))
    );
    matrices.forEach((matrix, i) =>
      smoothed.set(matrix, scaled(readers[i]!, scales, (x, s) => x * s))
    );
  }
  return smoothed;
}

/** The s of each channel; 1 where the formula gives 0 or infinity. */
function scalesOf(
  gamma: Float32Array,
  beta: Float32Array,
  matrices: readonly Float32Array[],
): Float64Array {
  const D = gamma.length;
  const largestWeights = new Float64Array(D);
  for (const matrix of matrices) {
    matrix.forEach((w, i) => largestWeights[i % D] = Math.max(largestWeights[i % D]!, Math.abs(w)));
  }
  return largestWeights.map((largestWeight, d) => {
    const activation = REACH * Math.abs(gamma[d]!) + Math.abs(beta[d]!);
    const scale = activation ** STRENGTH / largestWeight ** (1 - STRENGTH);
    return scale > 0 && scale < Infinity ? scale : 1;
  });
}

/** Applies each channel's scale to its column, or to a vector. */
function scaled(
  { shape, data }: Tensor<"float32">,
  scales: Float64Array,
  change: (x: number, scale: number) => number,
): Tensor<"float32"> {
  const D = scales.length;
  return { dtype: "float32", shape, data: data.map((x, i) => change(x, scales[i % D]!)) };
}
