import type { ModelProto } from "../../onnx/model_proto.ts";
import { buildGraph, type GraphVariant } from "../../vit_msn/graph.ts";
import { hasOwnConfig, type ModelFile } from "../../vit_msn/model_file.ts";
import { findWeights } from "../../vit_msn/verify/own_graph.ts";
import { MASK_TOKEN, NO_MASK_TOKEN } from "../../vit_msn/weights.ts";

/**
 * The same model with another graph, made of the weights in the file. Its own graph may be one of an
 * earlier version.
 *
 * @throws {TypeError} if another tool made the file, or it lacks a weight; a mask token for a variant that
 * is `masked`, say.
 */
export function toVariant({ proto, config }: ModelFile, variant: GraphVariant): ModelProto {
  if (!hasOwnConfig(proto)) {
    throw new TypeError(
      "Cannot compute other outputs or take other inputs than the file's graph has: another tool " +
        "made it; `deno task convert` makes one of the checkpoint that does",
    );
  }
  const found = findWeights(proto, config);
  if ("reason" in found) {
    throw new TypeError(`Cannot make another graph of the ONNX model: ${found.reason}`);
  }
  const { weights } = found;
  if (variant.masked && !weights.has(MASK_TOKEN)) throw new TypeError(NO_MASK_TOKEN);
  return { ...proto, graph: buildGraph(config, weights, variant) };
}
