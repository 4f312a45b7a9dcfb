import * as v from "valibot";
import type { Route } from "../../route.ts";

const tensorMetadata = v.object({
  name: v.string(),
  datatype: v.string(),
  shape: v.array(v.number()),
});

/** `GET /v2/models/{model}` */
export const modelMetadata: Route = {
  method: "get",
  path: "/v2/models/:model",
  group: "inference",
  summary: "A model's inputs and outputs",
  errors: "inference",
  response: v.object({
    name: v.string(),
    versions: v.array(v.string()),
    platform: v.string(),
    inputs: v.array(tensorMetadata),
    outputs: v.array(tensorMetadata),
  }),
  async answer(exchange, service) {
    service.assertName(exchange.path.model);
    const { model } = await service.model(exchange);
    const { numChannels, imageSize, hiddenSize, id2label } = model.config;
    const classifies = model.defaultOutputs.includes("logits");
    return Response.json({
      name: service.name,
      versions: ["1"],
      platform: "onnx",
      inputs: [
        { name: "pixel_values", datatype: "FP32", shape: [-1, numChannels, ...imageSize] },
        { name: "images", datatype: "BYTES", shape: [-1] },
      ],
      outputs: [
        ...(classifies ? [{ name: "logits", datatype: "FP32", shape: [-1, id2label.length] }] : []),
        { name: "embedding", datatype: "FP32", shape: [-1, hiddenSize] },
      ],
    });
  },
};
