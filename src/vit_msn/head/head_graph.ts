import { GraphBuilder } from "../../onnx/graph_builder.ts";
import type { GraphProto } from "../../onnx/model_proto.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { HeadParameters } from "./head_parameters.ts";
import { inverseWeights, type LayerNormWeights } from "../layer_norm.ts";

/** A value of TensorProto.DataType. */
const FLOAT = 1;

/** τ of k-NN, the temperature of a neighbour's vote, as in DINO and MSN. */
export const NEIGHBOUR_TEMPERATURE = 0.07;
/** ε of k-NN, the vote for a class without neighbours; the nearest neighbour's vote is 1. */
export const NO_VOTES = 1e-3;

/** The name of a head's tensor in a graph. */
export function headTensorName(name: string): string {
  return `head.${name}`;
}

/** Adds a node that takes CLS, [batch, T, D] → [batch, D]. */
export function firstToken(graph: GraphBuilder, lastHiddenState: string): string {
  const first = graph.initializer("first_token", {
    dtype: "int64",
    shape: [],
    data: BigInt64Array.of(0n),
  });
  return graph.node("Gather", [lastHiddenState, first], { axis: 1 });
}

/**
 * Adds a head's calibrated logits to a graph: CLS [batch, D] → [batch, K], by the formulas of `toFeature` and
 * `scoresOf`.
 *
 * @param layerNorm the backbone's final LayerNorm, which `toFeature` inverts.
 */
export function headLogits(
  graph: GraphBuilder,
  cls: string,
  { settings, tensors }: HeadParameters,
  layerNorm: LayerNormWeights,
): string {
  const vector = (name: string, data: Float32Array) =>
    graph.initializer(name, { dtype: "float32", shape: [data.length], data });
  const put = (name: string, tensor: Tensor<"float32"> | undefined) =>
    graph.initializer(headTensorName(name), tensor!);
  const overChannels = { axes: [-1], keepdims: 1 };
  const sub = (a: string, b: string) => graph.node("Sub", [a, b]);
  const mul = (a: string, b: string) => graph.node("Mul", [a, b]);

  const u = mul(
    sub(cls, vector("layernorm.bias", layerNorm.bias)),
    vector(headTensorName("inverse_weights"), inverseWeights(layerNorm)),
  );
  const centred = sub(u, graph.node("ReduceMean", [u], overChannels));
  const length = graph.node("Max", [
    graph.node("ReduceL2", [centred], overChannels),
    graph.scalar(1e-30), // the floor keeps a feature of zeros at zeros
  ]);
  const feature = graph.node("Div", [centred, length]);
  const calibrated = (scores: string) => mul(scores, graph.scalar(1 / settings.temperature));
  if (settings.method !== "knn") {
    const parameters = [put("weight", tensors.weight), put("bias", tensors.bias)];
    return calibrated(graph.node("Gemm", [feature, ...parameters], { transB: 1 }));
  }
  const similarities = graph.node("Gemm", [feature, put("support", tensors.support)], {
    transB: 1,
  }); // [batch, n]
  const k = Math.min(settings.k!, tensors.support!.shape[0]!);
  const [nearest] = graph.nodes("TopK", [similarities, graph.ints([k])], 2);
  const least = graph.node("ReduceMin", [nearest!], overChannels);
  const most = graph.node("ReduceMax", [nearest!], overChannels);
  const near = graph.node("Cast", [graph.node("GreaterOrEqual", [similarities, least])], {
    to: FLOAT,
  });
  const vote = graph.node("Exp", [
    mul(sub(similarities, most), graph.scalar(1 / NEIGHBOUR_TEMPERATURE)),
  ]);
  const votes = graph.node("MatMul", [mul(vote, near), put("votes", tensors.votes)]); // [batch, K]
  return calibrated(graph.node("Log", [graph.node("Add", [votes, graph.scalar(NO_VOTES)])]));
}

/** Builds the graph of a head file: last_hidden_state [batch, tokens, D] → logits [batch, K]. */
export function buildHeadGraph(head: HeadParameters, layerNorm: LayerNormWeights): GraphProto {
  const graph = new GraphBuilder("vit_msn_head");
  const shape = ["batch", "tokens", layerNorm.weight.length];
  const lastHiddenState = graph.input("last_hidden_state", "float32", shape);
  const logits = headLogits(graph, firstToken(graph, lastHiddenState), head, layerNorm);
  graph.output("logits", "float32", ["batch", head.settings.labels.length], logits);
  return graph.build();
}
