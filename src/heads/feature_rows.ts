import { rowsOf } from "../tensor/rows_of.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Features of n images: the tensor [n, D] of `ViTMSNModel.features`, or n vectors [D] from several calls. */
export type Features = Tensor<"float32"> | readonly Float32Array[];

/** n vectors [D], without copying them. */
export function featureRows(features: Features): readonly Float32Array[] {
  return "dtype" in features ? rowsOf(features) : features;
}
