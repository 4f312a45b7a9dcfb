import type { ModelProto } from "../../onnx/model_proto.ts";
import { fromBase64 } from "../../tensor/base64.ts";
import { type DataType, type Tensor, tensorFromBytes } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../config.ts";
import { buildGraph, OUTPUT_NAMES } from "../graph.ts";
import type { HeadParameters } from "../head/head_parameters.ts";
import { scaleName, storedTypes } from "../quantize.ts";
import { isSameGraph } from "./same_graph.ts";
import { hasClassifier, MASK_TOKEN, type ViTMSNWeights, weightShapes } from "../weights.ts";

/**
 * The weights of a graph that this project writes, or why it is another one. The weights are views of
 * the file's bytes; matrices may be float16, or int8 with their scales beside them.
 */
export type OwnGraph = { readonly weights: ViTMSNWeights } | { readonly reason: string };

/**
 * Verifies a graph: accepts only the one that this version writes for these weights.
 *
 * @param config of the file's own `config.json`.
 * @param head the file's, if that is the classifier.
 */
export function verifyGraph(
  model: Pick<ModelProto, "graph" | "metadataProps">,
  config: ViTMSNConfig,
  head: HeadParameters | undefined,
): OwnGraph {
  const { graph } = model;
  const found = findWeights(model, config);
  if ("reason" in found) return found;
  const outputs = OUTPUT_NAMES.filter((name) => graph.outputs.some((o) => o.name === name));
  const canBuild = !outputs.includes("logits") || head || hasClassifier(found.weights);
  if (canBuild && isSameGraph(graph, buildGraph(config, found.weights, { outputs }, head))) {
    return found;
  }
  return {
    reason: "its graph is not the one that `deno task convert` writes today; " +
      "convert the checkpoint again",
  };
}

/** The weights of a model of that config, by their names, whatever the nodes do with them. */
export function findWeights(
  { graph: { initializers }, metadataProps }: Pick<ModelProto, "graph" | "metadataProps">,
  config: ViTMSNConfig,
): OwnGraph {
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of weightShapes(config, { classifier: hasClassifier(initializers) })) {
    const tensor = initializers.get(name);
    const reason = whyNot(name, tensor, shape, storedTypes(name));
    if (reason !== undefined) return { reason };
    weights.set(name, tensor!);
    if (tensor!.dtype !== "int8") continue;
    const scale = initializers.get(scaleName(name));
    const scaleReason = whyNot(scaleName(name), scale, shape.slice(0, 1), ["float32"]);
    if (scaleReason !== undefined) return { reason: scaleReason };
    weights.set(scaleName(name), scale!);
  }
  const base64 = metadataProps.get(MASK_TOKEN);
  if (base64 === undefined) return { weights };
  const maskToken = parseMaskToken(base64, config);
  if (!maskToken) return { reason: `its ${MASK_TOKEN} is not [1, 1, ${config.hiddenSize}]` };
  weights.set(MASK_TOKEN, maskToken);
  return { weights };
}

function whyNot(
  name: string,
  tensor: Tensor | undefined,
  shape: readonly number[],
  types: readonly DataType[],
): string | undefined {
  if (!tensor) return `it has no ${name}; convert the checkpoint again, without --outputs`;
  if (tensor.shape.join() === shape.join() && types.includes(tensor.dtype)) return undefined;
  return `${name} is ${tensor.dtype} [${tensor.shape}], not ${types.join(" or ")} [${shape}]`;
}

function parseMaskToken(base64: string, { hiddenSize }: ViTMSNConfig): Tensor | undefined {
  try {
    return tensorFromBytes("float32", [1, 1, hiddenSize], fromBase64(base64));
  } catch {
    return undefined;
  }
}
