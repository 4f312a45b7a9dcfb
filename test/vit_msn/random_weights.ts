import { elementCount, type Tensor } from "../../src/tensor/tensor.ts";
import type { ViTMSNConfig } from "../../src/vit_msn/config.ts";
import { type ViTMSNWeights, weightShapes } from "../../src/vit_msn/weights.ts";
import { uniform } from "../random.ts";

/** A `config.json` of a model that is computed in no time. */
export const TINY_CONFIG = {
  model_type: "vit_msn",
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 4,
  image_size: 4,
  patch_size: 2,
};

/** Weights of a seeded generator, of about the size that training gives them. */
export function randomWeights(config: ViTMSNConfig, { classifier = true } = {}): ViTMSNWeights {
  const random = uniform(1);
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of weightShapes(config, { classifier })) {
    const isScale = name.includes("layernorm") && name.endsWith("weight");
    const data = Float32Array.from(
      { length: elementCount(shape) },
      () => (isScale ? 1 : 0) + 0.4 * (random() - 0.5),
    );
    weights.set(name, { dtype: "float32", shape, data });
  }
  return weights;
}
