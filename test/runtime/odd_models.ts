import { concat } from "@std/bytes/concat";
import { elementCount, type Tensor } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/vit_msn/config.ts";
import { writeModelFile } from "../../src/vit_msn/model_file.ts";
import type { WeightDataType } from "../../src/vit_msn/quantize.ts";
import { MASK_TOKEN } from "../../src/vit_msn/weights.ts";
import { uniform } from "../random.ts";
import { randomWeights } from "../vit_msn/random_weights.ts";

/** Neither a head's channels nor an MLP's are whole panels. */
export const ODD = {
  hidden_size: 12,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  intermediate_size: 9,
  image_size: 8,
  patch_size: 4,
  num_labels: 3,
};

/** Numbers from -2 to 2. */
export function randomTensor(seed: number, ...shape: number[]): Tensor<"float32"> {
  const random = uniform(seed);
  const data = Float32Array.from({ length: elementCount(shape) }, () => 4 * random() - 2);
  return { dtype: "float32", shape, data };
}

export function bools(seed: number, ...shape: number[]): Tensor<"bool"> {
  const random = uniform(seed);
  const data = Uint8Array.from({ length: elementCount(shape) }, () => random() < 0.4 ? 1 : 0);
  return { dtype: "bool", shape, data };
}

/** For each image some of the patches from 0 to N - 1, in a shuffled order of its own. */
export function shuffled(
  seed: number,
  { images, patches, kept }: { images: number; patches: number; kept: number },
): Tensor<"int64"> {
  const random = uniform(seed);
  const orders = Array.from(
    { length: images },
    () =>
      Array.from({ length: patches }, (_, patch) => ({ patch, key: random() }))
        .toSorted((a, b) => a.key - b.key)
        .slice(0, kept)
        .map(({ patch }) => BigInt(patch)),
  );
  return { dtype: "int64", shape: [images, kept], data: BigInt64Array.from(orders.flat()) };
}

/** A file of a model with random weights and a mask token. */
export function modelFile(
  settings: Record<string, unknown>,
  dtype: WeightDataType = "f32",
): Uint8Array<ArrayBuffer> {
  const json = { model_type: "vit_msn", ...settings };
  const config = parseConfig(json);
  const maskToken = randomTensor(2, 1, 1, config.hiddenSize);
  const weights = new Map(randomWeights(config)).set(MASK_TOKEN, maskToken);
  return concat(writeModelFile(json, {}, weights, dtype));
}
