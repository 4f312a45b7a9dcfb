import { concat } from "@std/bytes/concat";
import { readCheckpoint } from "../../src/hub/read_checkpoint.ts";
import type { ViTMSNModel } from "../../src/model/vit_msn_model.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import type { ForwardInputs } from "../../src/vit_msn/forward_inputs.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import type { WeightDataType } from "../../src/vit_msn/quantize.ts";
import { toWeights } from "../../src/vit_msn/weights.ts";
import { goldenPath, readGolden } from "./golden.ts";

/** The small models of which there are PyTorch's outputs. */
export const CASES = [
  "tiny",
  "tiny_backbone",
  "tiny_greyscale_no_qkv_bias",
  "tiny_masked",
  "tiny_interpolated",
  "tiny_multi_label",
  "tiny_regression",
];

/** The model of a case, which is a folder or a weights file in it, as one ONNX file. */
export async function goldenModel(source: string, dtype: WeightDataType): Promise<Uint8Array> {
  const { config, tensors } = await readCheckpoint(goldenPath(source));
  return concat(writeModelFile(config, {}, toWeights(tensors, parseConfig(config)), dtype));
}

/**
 * The inputs and the outputs of a case, which is a folder or a weights file in it; of the large outputs
 * it has the first image's first rows.
 */
export function goldenCase(
  source: string,
): { inputs: ForwardInputs; expected: Map<string, Tensor> } {
  const [folder] = source.split("/");
  const tensors = new Map(readGolden(`${folder}/expected.safetensors`));
  if (source.endsWith(".pth.tar")) { // the authors' file has no classifier
    for (const name of ["labels", "logits", "loss"]) tensors.delete(name);
  }
  const isInput = ([key]: [string, unknown]) => /^(pixel_values|bool_masked_pos|labels)$/.test(key);
  return {
    inputs: Object.fromEntries([...tensors].filter(isInput)) as unknown as ForwardInputs,
    expected: new Map([...tensors].filter((entry) => !isInput(entry))),
  };
}

/** All that a model computes of a case's inputs, and what PyTorch does, under the same names. */
export async function outputsOfCase(
  model: ViTMSNModel,
  source: string,
): Promise<{ actual: Map<string, Tensor>; expected: Map<string, Tensor> }> {
  const { inputs, expected } = goldenCase(source);
  const options = { interpolatePosEncoding: source === "tiny_interpolated" };
  const plain = await model.forward(inputs, options);
  const outputs = ["hidden_states", "attentions"] as const;
  const inner = await model.forward(inputs, { ...options, outputs });
  const firstRowsOf = (output: string) =>
    [`${output}_first_rows`, firstRows(inner.get(output)!)] as const;
  return { actual: new Map([...plain, ...outputs.map(firstRowsOf)]), expected };
}

/** Of [L, B, …, rows, columns] the first image and each matrix's first rows, as the files have them. */
function firstRows({ shape, data }: Tensor): Tensor {
  const keep = shape.length === 5 ? 4 : 8;
  const [L, B, ...rest] = shape as [number, number, ...number[]];
  const [rows, columns] = rest.slice(-2) as [number, number];
  const matrices = rest.slice(0, -2).reduce((a, b) => a * b, 1);
  const out: number[] = [];
  for (let l = 0; l < L; l++) {
    for (let m = 0; m < matrices; m++) {
      const start = (l * B * matrices + m) * rows * columns;
      out.push(...data.subarray(start, start + keep * columns) as Float32Array);
    }
  }
  const kept = [L, 1, ...rest.slice(0, -2), keep, columns];
  return { dtype: "float32", shape: kept, data: Float32Array.from(out) };
}

/** The cosine of the angle between two vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
