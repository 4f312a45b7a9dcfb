import { toFloat32 } from "../../src/tensor/float16.ts";
import { type HiddenActivation, patchGrid, type ViTMSNConfig } from "../../src/vit_msn/config.ts";
import type { ViTMSNWeights } from "../../src/vit_msn/weights.ts";

type Rows = Float64Array[];

/** The formulas of `transformers.activations`. */
const ACTIVATIONS: Readonly<Record<Exclude<HiddenActivation, "gelu">, (x: number) => number>> = {
  gelu_new: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
};

function tanhGelu(x: number): number {
  return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/**
 * ViT-MSN in loops and double precision, to check the graph by: one image's `last_hidden_state`
 * [T, D]. It has no exact GELU, as JavaScript has no error function.
 *
 * @param pixels [C, H, W]
 * @param keptPatches the patches that go on, after positions are added; default is all.
 */
export function referenceForward(
  config: ViTMSNConfig,
  weights: ViTMSNWeights,
  pixels: Float32Array,
  keptPatches?: readonly number[],
): Float64Array {
  const { hiddenSize: D, numAttentionHeads: heads, numChannels: C } = config;
  const [H, W] = config.imageSize;
  const [P, Q] = config.patchSize;
  const [rows, columns] = patchGrid(config);
  const get = (name: string) => toFloat32(weights.get(name)!).data;

  const linear = (x: Rows, name: string): Rows => {
    const weight = get(`${name}.weight`);
    const bias = weights.has(`${name}.bias`) ? get(`${name}.bias`) : undefined;
    const outputs = weight.length / x[0]!.length;
    return x.map((row) =>
      Float64Array.from(
        { length: outputs },
        (_, o) =>
          row.reduce((sum, value, i) => sum + value * weight[o * row.length + i]!, bias?.[o] ?? 0),
      )
    );
  };
  const layerNorm = (x: Rows, name: string): Rows => {
    const [weight, bias] = [get(`${name}.weight`), get(`${name}.bias`)];
    return x.map((row) => {
      const mean = row.reduce((a, b) => a + b) / D;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / D;
      return row.map((v, d) =>
        (v - mean) / Math.sqrt(variance + config.layerNormEps) * weight[d]! + bias[d]!
      );
    });
  };
  const add = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((v, d) => v + b[t]![d]!));
  const attention = (x: Rows, layer: string): Rows => {
    const [query, key, value] = ["query", "key", "value"].map((role) =>
      linear(x, `${layer}.attention.attention.${role}`)
    ) as [Rows, Rows, Rows];
    const size = D / heads;
    return x.map((_, t) => {
      const out = new Float64Array(D);
      for (let begin = 0; begin < D; begin += size) {
        const scores = key.map((k) => {
          let sum = 0;
          for (let d = begin; d < begin + size; d++) sum += query[t]![d]! * k[d]!;
          return Math.exp(sum / Math.sqrt(size));
        });
        const total = scores.reduce((a, b) => a + b);
        scores.forEach((score, u) => {
          for (let d = begin; d < begin + size; d++) out[d]! += score / total * value[u]![d]!;
        });
      }
      return out;
    });
  };

  const projection = "embeddings.patch_embeddings.projection";
  const patches: Rows = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const patch: number[] = [];
      for (let channel = 0; channel < C; channel++) {
        for (let y = 0; y < P; y++) {
          for (let x = 0; x < Q; x++) {
            patch.push(pixels[(channel * H + r * P + y) * W + c * Q + x]!);
          }
        }
      }
      patches.push(Float64Array.from(patch));
    }
  }
  const tokens = [Float64Array.from(get("embeddings.cls_token")), ...linear(patches, projection)];
  const positions = get("embeddings.position_embeddings");
  let x: Rows = tokens.map((row, t) => row.map((v, d) => v + positions[t * D + d]!));
  if (keptPatches) x = [0, ...keptPatches.map((patch) => patch + 1)].map((token) => x[token]!);
  const activate = ACTIVATIONS[config.hiddenAct as keyof typeof ACTIVATIONS];
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = `encoder.layer.${i}`;
    const context = attention(layerNorm(x, `${layer}.layernorm_before`), layer);
    x = add(x, linear(context, `${layer}.attention.output.dense`));
    const up = linear(layerNorm(x, `${layer}.layernorm_after`), `${layer}.intermediate.dense`);
    x = add(x, linear(up.map((row) => row.map(activate)), `${layer}.output.dense`));
  }
  return Float64Array.from(layerNorm(x, "layernorm").flatMap((row) => [...row]));
}
