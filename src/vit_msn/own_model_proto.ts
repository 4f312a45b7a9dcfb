import type { GraphProto, ModelProto } from "../onnx/model_proto.ts";

/** A graph as a model of this project: opset 17, and who made it. */
export function ownModelProto(
  graph: GraphProto,
  metadataProps: ModelProto["metadataProps"],
): ModelProto {
  return {
    irVersion: 8,
    producerName: "vit-msn-edge",
    producerVersion: "0.1.0",
    docString: "",
    opsetImport: [{ domain: "", version: 17 }],
    metadataProps,
    graph,
  };
}
