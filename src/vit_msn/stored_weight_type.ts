import type { ModelProto } from "../onnx/model_proto.ts";
import type { WeightDataType } from "./quantize.ts";

/**
 * The type in which a model's file stores its matrices, whoever wrote it: the smallest one of those in it, as
 * the other weights stay float32. Only other tools write `q4`.
 */
export function storedWeightType(
  { graph: { initializers, nodes } }: Pick<ModelProto, "graph">,
): WeightDataType | "q4" {
  if (nodes.some(({ opType }) => opType === "MatMulNBits")) return "q4";
  const types = new Set(
    [...initializers.values()].filter(({ shape }) => shape.length > 1).map(({ dtype }) => dtype),
  );
  if (types.has("int8") || types.has("uint8")) return "int8";
  return types.has("float16") ? "f16" : "f32";
}
