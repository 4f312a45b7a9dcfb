import { GraphBuilder } from "../onnx/graph_builder.ts";
import type { GraphProto } from "../onnx/model_proto.ts";
import { toFloat16, toFloat32 } from "../tensor/float16.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Activation, patchGrid, type ViTMSNConfig } from "./config.ts";
import { hasClassifier, type Weights } from "./weights.ts";

/** The precision in which a file keeps the matrices. All computing is done in float32. */
export type WeightDataType = "f32" | "f16";

/**
 * The forward of `ViTMSNForImageClassification`, or of `ViTMSNModel` where the weights carry no
 * classifier, as an ONNX graph of opset 17:
 *
 *     pixel_values [batch, C, H, W] → last_hidden_state [batch, T, D], logits [batch, K]
 *
 * with T = patches + 1, K labels. Weights keep Hugging Face's names and shapes, so a linear layer's
 * is [out, in]. With `f16`, matrices are stored as float16 and cast to float32 when a session loads.
 */
export function buildGraph(
  config: ViTMSNConfig,
  weights: Weights,
  dtype: WeightDataType,
): GraphProto {
  const { hiddenSize: D, numAttentionHeads: heads, patchSize, imageSize, numChannels } = config;
  const [rows, columns] = patchGrid(config);
  const N = rows * columns;
  const T = N + 1;
  const graph = new GraphBuilder("vit_msn");

  const weight = (name: string): string => {
    const tensor = weights.get(name)!;
    const isMatrix = /(projection|dense|query|key|value|classifier)\.weight$/.test(name);
    if (dtype === "f32" || !isMatrix) return graph.initializer(name, toFloat32(tensor));
    return graph.node("Cast", [graph.initializer(name, asFloat16(name, tensor))], { to: FLOAT });
  };
  /** x Wᵀ + b of [rows, in]. */
  const linear = (x: string, name: string): string => {
    const bias = weights.has(`${name}.bias`) ? [weight(`${name}.bias`)] : [];
    return graph.node("Gemm", [x, weight(`${name}.weight`), ...bias], { transB: 1 });
  };
  const layerNorm = (x: string, name: string): string =>
    graph.node("LayerNormalization", [x, weight(`${name}.weight`), weight(`${name}.bias`)], {
      axis: -1,
      epsilon: { float: config.layerNormEps },
    });
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
    const context = transpose(graph.node("MatMul", [probabilities, value]), [0, 2, 1, 3]);
    return linear(reshape(context, [-1, D]), `${layer}.attention.output.dense`);
  };

  const pixelValues = graph.input("pixel_values", "float32", ["batch", numChannels, ...imageSize]);

  // Embeddings: a convolution whose patches do not overlap, [CLS] before them, positions added.
  const projection = "embeddings.patch_embeddings.projection";
  const grid = graph.node("Conv", [
    pixelValues,
    weight(`${projection}.weight`),
    weight(`${projection}.bias`),
  ], { kernel_shape: patchSize, strides: patchSize });
  const patches = transpose(reshape(grid, [0, D, N]), [0, 2, 1]);
  const batch = graph.node("Shape", [pixelValues], { start: 0, end: 1 });
  const clsShape = graph.node("Concat", [batch, graph.ints([1, D])], { axis: 0 });
  const cls = graph.node("Expand", [weight("embeddings.cls_token"), clsShape]);
  const tokens = graph.node("Concat", [cls, patches], { axis: 1 });
  const embeddings = graph.node("Add", [tokens, weight("embeddings.position_embeddings")]);

  let x = reshape(embeddings, [-1, D]);
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = `encoder.layer.${i}`;
    x = graph.node("Add", [x, attention(layerNorm(x, `${layer}.layernorm_before`), layer)]);
    const up = linear(layerNorm(x, `${layer}.layernorm_after`), `${layer}.intermediate.dense`);
    const down = linear(activation(graph, up, config.hiddenAct), `${layer}.output.dense`);
    x = graph.node("Add", [x, down]);
  }
  const lastHiddenState = reshape(layerNorm(x, "layernorm"), [-1, T, D]);
  graph.output("last_hidden_state", "float32", ["batch", T, D], lastHiddenState);

  if (hasClassifier(weights)) {
    const first = graph.initializer("first_token", {
      dtype: "int64",
      shape: [],
      data: BigInt64Array.of(0n),
    });
    const clsState = graph.node("Gather", [lastHiddenState, first], { axis: 1 });
    const logits = linear(clsState, "classifier");
    graph.output("logits", "float32", ["batch", config.id2label.length], logits);
  }
  return graph.build();
}

/** @throws {RangeError} that names the weight, if a number is too large. */
function asFloat16(name: string, tensor: Tensor): Tensor<"float16"> {
  try {
    return toFloat16(tensor);
  } catch (error) {
    throw new RangeError(`Cannot store ${name} as f16: ${(error as Error).message}`);
  }
}

/** TensorProto.DataType.FLOAT */
const FLOAT = 1;

/** Hugging Face's `ACT2FN`, in operators of opset 17. */
function activation(graph: GraphBuilder, x: string, name: Activation): string {
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
