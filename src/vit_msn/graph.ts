import { GraphBuilder } from "../onnx/graph_builder.ts";
import type { GraphProto } from "../onnx/model_proto.ts";
import { toFloat32 } from "../tensor/float16.ts";
import { type HiddenActivation, patchGrid, type ViTMSNConfig } from "./config.ts";
import { firstToken, headLogits } from "./head/head_graph.ts";
import type { HeadParameters } from "./head/head_parameters.ts";
import { interpolatePositions } from "./interpolate_positions.ts";
import { scaleName } from "./quantize.ts";
import { hasClassifier, type ViTMSNWeights } from "./weights.ts";

/** An output that a graph can compute. */
export type OutputName = "last_hidden_state" | "hidden_states" | "attentions" | "logits";

/** All {@linkcode OutputName}s. */
export const OUTPUT_NAMES: readonly [OutputName, ...OutputName[]] = [
  "last_hidden_state",
  "hidden_states",
  "attentions",
  "logits",
];

/** The differences of a graph from the plain forward pass that a model file holds. */
export interface GraphVariant {
  /** The only outputs. Default is `last_hidden_state` and, with a classifier, `logits`. */
  readonly outputs?: readonly OutputName[];
  /** [height, width] of the images; position embeddings are interpolated. Default is the config's. */
  readonly imageSize?: readonly [number, number];
  /** Adds the input `bool_masked_pos` bool [batch, N]: the mask token replaces these patches. */
  readonly masked?: boolean;
  /** K; adds the input `kept_patches` int64 [batch, K]: all other patches are dropped. */
  readonly keptPatches?: number;
}

/**
 * Builds the forward pass of `ViTMSNForImageClassification`, or of `ViTMSNModel` if the weights have no
 * classifier, as an ONNX graph of opset 17:
 *
 *     pixel_values [batch, C, H, W] → last_hidden_state [batch, T, D], logits [batch, K]
 *
 * with N patches, T = N + 1 tokens, K labels. A variant may also have `hidden_states`
 * [L + 1, batch, T, D], the last one before the final LayerNorm, and `attentions`
 * [L, batch, heads, T, T]. Weights keep Hugging Face's names and shapes, so a linear layer's weight is
 * [out, in]. float16 matrices are cast to float32, once, when a session loads. int8 matrices are multiplied
 * in integers with activations that are quantised to 8 bits for each token:
 * `x ≈ s (q - 128)`, `s = max |x| / 127`.
 *
 * @param head a classifier that replaces the one of the weights.
 * @throws {TypeError} if `logits` are requested and there is no classifier.
 */
export function buildGraph(
  config: ViTMSNConfig,
  weights: ViTMSNWeights,
  variant: GraphVariant = {},
  head?: HeadParameters,
): GraphProto {
  const { hiddenSize: D, numAttentionHeads: heads, patchSize, numChannels } = config;
  const imageSize = variant.imageSize ?? config.imageSize;
  const [rows, columns] = patchGrid({ imageSize, patchSize });
  const N = rows * columns;
  const T = (variant.keptPatches ?? N) + 1;
  const outputs = variant.outputs ??
    (hasClassifier(weights) || head ? ["last_hidden_state", "logits"] : ["last_hidden_state"]);
  if (outputs.includes("logits") && !hasClassifier(weights) && !head) {
    throw new TypeError("Cannot compute logits: the checkpoint is a backbone without a classifier");
  }
  const wants = (output: OutputName) => outputs.includes(output);
  const graph = new GraphBuilder("vit_msn");

  const weight = (name: string): string => {
    const tensor = weights.get(name)!;
    const stored = graph.initializer(name, tensor);
    return tensor.dtype === "float32" ? stored : graph.node("Cast", [stored], { to: FLOAT });
  };
  const quantized = new Map<string, readonly [q: string, scale: string]>();
  /** Quantises x [rows, in] to uint8 [rows, in] and scales [rows, 1]; cached, because q, k and v share x. */
  const quantize = (x: string): readonly [string, string] => {
    const known = quantized.get(x);
    if (known) return known;
    const max = graph.node("ReduceMax", [graph.node("Abs", [x])], { axes: [-1], keepdims: 1 });
    // The floor avoids a division by 0 for a token of zeros.
    const scale = graph.node("Mul", [
      graph.node("Max", [max, graph.scalar(1e-30)]),
      graph.scalar(1 / 127),
    ]);
    const rounded = graph.node("Round", [graph.node("Div", [x, scale])]);
    const q = graph.node("Cast", [graph.node("Add", [rounded, graph.scalar(ZERO_POINT)])], {
      to: UINT8,
    });
    quantized.set(x, [q, scale]);
    return [q, scale];
  };
  const integerLinear = (x: string, name: string): string => {
    const [q, scale] = quantize(x);
    const W = graph.initializer(`${name}.weight`, weights.get(`${name}.weight`)!);
    const zeroPoint = graph.initializer("zero_point", {
      dtype: "uint8",
      shape: [],
      data: Uint8Array.of(ZERO_POINT),
    });
    const product = graph.node("MatMulInteger", [q, transpose(W, [1, 0]), zeroPoint]);
    const scaled = graph.node("Mul", [graph.node("Cast", [product], { to: FLOAT }), scale]);
    const y = graph.node("Mul", [scaled, weight(scaleName(`${name}.weight`))]);
    return weights.has(`${name}.bias`) ? graph.node("Add", [y, weight(`${name}.bias`)]) : y;
  };
  /** x [rows, in] → x Wᵀ + b [rows, out]. */
  const linear = (x: string, name: string): string => {
    if (weights.get(`${name}.weight`)!.dtype === "int8") return integerLinear(x, name);
    const bias = weights.has(`${name}.bias`) ? [weight(`${name}.bias`)] : [];
    return graph.node("Gemm", [x, weight(`${name}.weight`), ...bias], { transB: 1 });
  };
  const layerNorm = (x: string, name: string): string =>
    graph.node("LayerNormalization", [x, weight(`${name}.weight`), weight(`${name}.bias`)], {
      axis: -1,
      epsilon: { float: config.layerNormEps },
    });
  const attentions: string[] = [];
  const hiddenStates: string[] = [];
  const reshape = (x: string, shape: number[]): string =>
    graph.node("Reshape", [x, graph.ints(shape)]);
  const transpose = (x: string, perm: number[]): string => graph.node("Transpose", [x], { perm });

  /** [batch·T, D] → softmax(q kᵀ / √d) v, [batch·T, D]. */
  const attention = (x: string, layer: string): string => {
    const headDim = D / heads;
    const perHead = (role: string, perm: number[]): string => {
      const projected = linear(x, `${layer}.attention.attention.${role}`);
      return transpose(reshape(projected, [-1, T, heads, headDim]), perm);
    };
    const query = perHead("query", [0, 2, 1, 3]); // [batch, heads, T, d]
    const key = perHead("key", [0, 2, 3, 1]); // [batch, heads, d, T]
    const value = perHead("value", [0, 2, 1, 3]);
    const scores = graph.node("Mul", [
      graph.node("MatMul", [query, key]),
      graph.scalar(headDim ** -0.5),
    ]);
    const probabilities = graph.node("Softmax", [scores], { axis: -1 });
    attentions.push(probabilities);
    const context = transpose(graph.node("MatMul", [probabilities, value]), [0, 2, 1, 3]);
    return linear(reshape(context, [-1, D]), `${layer}.attention.output.dense`);
  };

  const pixelValues = graph.input("pixel_values", "float32", ["batch", numChannels, ...imageSize]);

  // Embeddings: the patch convolution, CLS prepended, positions added.
  const projection = "embeddings.patch_embeddings.projection";
  const grid = graph.node("Conv", [
    pixelValues,
    weight(`${projection}.weight`),
    weight(`${projection}.bias`),
  ], { kernel_shape: patchSize, strides: patchSize });
  let patches = transpose(reshape(grid, [0, D, N]), [0, 2, 1]);
  if (variant.masked) {
    const mask = graph.input("bool_masked_pos", "bool", ["batch", N]);
    const perPatch = graph.node("Unsqueeze", [mask, graph.ints([-1])]);
    patches = graph.node("Where", [perPatch, weight("embeddings.mask_token"), patches]);
  }
  const batch = graph.node("Shape", [pixelValues], { start: 0, end: 1 });
  const clsShape = graph.node("Concat", [batch, graph.ints([1, D])], { axis: 0 });
  const cls = graph.node("Expand", [weight("embeddings.cls_token"), clsShape]);
  const tokens = graph.node("Concat", [cls, patches], { axis: 1 });
  const positions = graph.initializer(
    "embeddings.position_embeddings",
    interpolatePositions(
      toFloat32(weights.get("embeddings.position_embeddings")!),
      patchGrid(config),
      [rows, columns],
    ),
  );
  let embeddings = graph.node("Add", [tokens, positions]);
  if (variant.keptPatches !== undefined) {
    // As in MSN: after the positions are added, and CLS, token 0, is always kept.
    const kept = graph.input("kept_patches", "int64", ["batch", variant.keptPatches]);
    const keptTokens = graph.node("Add", [kept, graph.ints([1])]);
    const first = graph.node("Expand", [
      graph.ints([0]),
      graph.node("Concat", [batch, graph.ints([1])], { axis: 0 }),
    ]);
    const indices = graph.node("Concat", [first, keptTokens], { axis: 1 });
    const each = graph.node("Unsqueeze", [indices, graph.ints([-1])]);
    embeddings = graph.node("GatherND", [embeddings, each], { batch_dims: 1 });
  }

  let x = reshape(embeddings, [-1, D]);
  hiddenStates.push(x);
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = `encoder.layer.${i}`;
    x = graph.node("Add", [x, attention(layerNorm(x, `${layer}.layernorm_before`), layer)]);
    const up = linear(layerNorm(x, `${layer}.layernorm_after`), `${layer}.intermediate.dense`);
    const down = linear(activation(graph, up, config.hiddenAct), `${layer}.output.dense`);
    x = graph.node("Add", [x, down]);
    hiddenStates.push(x);
  }
  /** Stacks tensors on a new first axis, each reshaped to `shape`. */
  const stack = (tensors: string[], shape: number[]) =>
    graph.node("Concat", tensors.map((tensor) => reshape(tensor, [1, ...shape])), { axis: 0 });
  const L = config.numHiddenLayers;
  if (wants("hidden_states")) {
    const stacked = stack(hiddenStates, [-1, T, D]);
    graph.output("hidden_states", "float32", [L + 1, "batch", T, D], stacked);
  }
  if (wants("attentions")) {
    const stacked = stack(attentions, [-1, heads, T, T]);
    graph.output("attentions", "float32", [L, "batch", heads, T, T], stacked);
  }
  if (!wants("last_hidden_state") && !wants("logits")) return graph.build();
  const lastHiddenState = reshape(layerNorm(x, "layernorm"), [-1, T, D]);
  if (wants("last_hidden_state")) {
    graph.output("last_hidden_state", "float32", ["batch", T, D], lastHiddenState);
  }
  if (wants("logits")) {
    const cls = firstToken(graph, lastHiddenState);
    const layerNorm = {
      weight: toFloat32(weights.get("layernorm.weight")!).data,
      bias: toFloat32(weights.get("layernorm.bias")!).data,
    };
    const logits = head ? headLogits(graph, cls, head, layerNorm) : linear(cls, "classifier");
    graph.output("logits", "float32", ["batch", config.id2label.length], logits);
  }
  return graph.build();
}

/** Values of TensorProto.DataType. */
const FLOAT = 1;
const UINT8 = 2;

/** The zero point of quantised activations: uint8, because ONNX Runtime is slow with int8. */
const ZERO_POINT = 128;

/** Hugging Face's `ACT2FN`, in operators of opset 17. */
function activation(graph: GraphBuilder, x: string, name: HiddenActivation): string {
  const mul = (a: string, b: string) => graph.node("Mul", [a, b]);
  const half = (gate: string) =>
    mul(mul(x, graph.node("Add", [gate, graph.scalar(1)])), graph.scalar(0.5));
  switch (name) {
    case "gelu": // x/2 (1 + erf(x/√2))
      return half(graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]));
    case "gelu_new":
    case "gelu_pytorch_tanh": { // x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
      const cubic = mul(mul(mul(x, x), x), graph.scalar(0.044715));
      const inner = mul(graph.node("Add", [x, cubic]), graph.scalar(Math.sqrt(2 / Math.PI)));
      return half(graph.node("Tanh", [inner]));
    }
    case "quick_gelu":
      return mul(x, graph.node("Sigmoid", [mul(x, graph.scalar(1.702))]));
    case "relu":
      return graph.node("Relu", [x]);
    case "silu":
      return mul(x, graph.node("Sigmoid", [x]));
  }
}
