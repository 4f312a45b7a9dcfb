import { GraphBounds } from "../onnx/graph_bounds.ts";
import { readModel } from "../onnx/read_model.ts";
import type { ViTMSNConfig } from "../vit_msn/config.ts";
import { assertConfigOfGraph } from "../vit_msn/config_of_graph.ts";

/**
 * Checks a graph before onnxruntime-web gets it, which runs whatever it says.
 *
 * @param config which has to agree with the graph, where one is given.
 * @returns what checks the sizes of its inputs.
 * @throws {SyntaxError} if the file is no ONNX model, or takes more memory than a ViT.
 * @throws {TypeError} if the config contradicts the graph.
 */
export function checkGraph(model: Uint8Array, config?: ViTMSNConfig): GraphBounds {
  const proto = readModel(model);
  if (config) assertConfigOfGraph(config, proto.graph);
  return new GraphBounds(proto, config?.imageSize);
}
