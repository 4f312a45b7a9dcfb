import type { GraphProto, ModelProto } from "../../onnx/model_proto.ts";

/** Wraps a graph in a ModelProto: opset 17, with this project as the producer. */
export function ownModelProto(
  graph: GraphProto,
  metadataProps: ModelProto["metadataProps"],
): ModelProto {
  return {
    irVersion: 8,
    producerName: "vit-msn-edge",
    producerVersion: "", // the same weights give the same file, whatever the version
    docString: "",
    opsetImport: [{ domain: "", version: 17 }],
    metadataProps,
    graph,
  };
}
