import type { Tensor } from "../tensor/tensor.ts";
import { type ModelFile, verifiedWeights } from "../vit_msn/model_file.ts";
import { dequantize } from "../vit_msn/quantize.ts";
import { unsmooth } from "../vit_msn/smooth_quant.ts";

/**
 * The weights of a model's backbone as training takes them, float32, without a classifier. Those of an int8 file
 * are the rounded ones.
 *
 * @throws {TypeError} if the file is not one that this project writes.
 */
export function backboneOf(model: Pick<ModelFile, "own">): Map<string, Tensor<"float32">> {
  const stored = verifiedWeights(model);
  const isInt8 = [...stored.values()].some(({ dtype }) => dtype === "int8");
  const weights = isInt8 ? unsmooth(dequantize(stored)) : dequantize(stored);
  return new Map(
    [...weights].filter(([name]) => !name.startsWith("classifier.")),
  ) as Map<string, Tensor<"float32">>;
}
