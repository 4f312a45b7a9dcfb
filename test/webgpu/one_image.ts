import type { Tensor } from "../../src/tensor/tensor.ts";
import { goldenCase } from "../golden/model.ts";

/** The first image of a case: a software adapter takes its time for each. */
export function oneImage(): { pixel_values: Tensor<"float32"> } {
  const { pixel_values } = goldenCase("tiny").inputs;
  const [B, ...shape] = pixel_values.shape as [number, ...number[]];
  const data = (pixel_values.data as Float32Array).slice(0, pixel_values.data.length / B);
  return { pixel_values: { dtype: "float32", shape: [1, ...shape], data } };
}
