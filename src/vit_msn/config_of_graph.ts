import type { GraphProto, NodeProto } from "../onnx/model_proto.ts";
import { patchGrid, type ViTMSNConfig } from "./config.ts";

/** Operators that only change the data type of a weight. */
const CASTS = new Set(["Cast", "DequantizeLinear", "Identity"]);

/** Convolution operators, with the index of the input that holds the weights. */
const CONVOLUTIONS: ReadonlyMap<string, number> = new Map([
  ["Conv", 1],
  ["ConvInteger", 1],
  ["FusedConv", 1],
  ["QLinearConv", 3],
]);

/**
 * Checks a config against its graph: the sizes of the patch projection, of the position embeddings, of the
 * inputs and of the outputs, where the graph fixes them.
 *
 * @throws {TypeError} if they differ; the message names the setting and both values.
 */
export function assertConfigOfGraph(config: ViTMSNConfig, graph: GraphProto): void {
  const { hiddenSize, imageSize, numChannels, patchSize, id2label } = config;
  const isInterpolated = graph.nodes.some(({ opType }) => opType === "Resize");
  const [rows, columns] = patchGrid(config);

  const convolutions = graph.nodes.filter(({ opType }) => CONVOLUTIONS.has(opType));
  if (convolutions.length === 1) {
    const weights = weightShape(graph, convolutions[0]!);
    const groups = convolutions[0]!.attributes.get("group")?.value ?? 1;
    if (weights?.length === 4 && groups === 1) {
      compare("hidden_size", hiddenSize, weights[0]!);
      compare("num_channels", numChannels, weights[1]!);
      compare("patch_size", patchSize, weights.slice(2));
    }
  }

  const input = graph.inputs.find(({ name }) => name === "pixel_values")?.shape ?? [];
  if (input.length === 4) {
    compare("num_channels", numChannels, input[1]!);
    compare("image_size", imageSize, input.slice(2));
  }

  const positions = [...graph.initializers.values()].filter(({ shape: [images, T, D, ...rest] }) =>
    images === 1 && T! > 1 && D === hiddenSize && rest.length === 0
  );
  if (positions.length === 1 && !isInterpolated) {
    compareTokens(positions[0]!.shape[1]!, "position embeddings");
  }

  for (const { name, shape } of graph.outputs) {
    if (name === "logits" && shape.length === 2) compare("num_labels", id2label.length, shape[1]!);
    if (name === "last_hidden_state" && shape.length === 3) {
      compare("hidden_size", hiddenSize, shape[2]!);
      if (typeof shape[1] === "number" && !isInterpolated) compareTokens(shape[1], "tokens");
    }
  }
  const classifier = graph.nodes.find(({ opType, outputs }) =>
    opType === "Gemm" && outputs[0] === "logits"
  );
  const classes = classifier && graph.initializers.get(classifier.inputs[1]!)?.shape;
  if (classes?.length === 2) {
    const isTransposed = classifier!.attributes.get("transB")?.value === 1;
    compare("num_labels", id2label.length, classes[isTransposed ? 0 : 1]!);
  }

  function compareTokens(count: number, what: string): void {
    if (count === rows * columns + 1) return;
    throw new TypeError(
      `Cannot use the ONNX model: image_size [${imageSize}] and patch_size [${patchSize}] in its ` +
        `config give ${rows * columns + 1} tokens, but its graph has ${count} ${what}`,
    );
  }
}

/** Compares sizes. A symbolic dimension of the graph, which is a string, matches any size. */
function compare(
  setting: string,
  inConfig: number | readonly number[],
  inGraph: number | string | readonly (number | string)[],
): void {
  const [expected, actual] = [[inConfig].flat(), [inGraph].flat()];
  if (actual.every((size, i) => typeof size === "string" || size === expected[i])) return;
  const text = (sizes: readonly (number | string)[]) =>
    sizes.length === 1 ? `${sizes[0]}` : `[${sizes}]`;
  throw new TypeError(
    `Cannot use the ONNX model: ${setting} is ${text(expected)} in its config, but ` +
      `${text(actual)} in its graph`,
  );
}

/** The shape of a convolution's weights, found through the operators that change their type. */
function weightShape(
  { nodes, initializers, otherShapes }: GraphProto,
  convolution: NodeProto,
): readonly number[] | undefined {
  let name = convolution.inputs[CONVOLUTIONS.get(convolution.opType)!]!;
  for (let step = 0; step < CASTS.size; step++) {
    const shape = initializers.get(name)?.shape ?? otherShapes?.get(name);
    if (shape) return shape;
    const maker = nodes.find(({ outputs }) => outputs.includes(name));
    if (!maker || !CASTS.has(maker.opType)) return undefined;
    name = maker.inputs[0]!;
  }
  return initializers.get(name)?.shape ?? otherShapes?.get(name);
}
