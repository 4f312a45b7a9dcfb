import type { Tensor } from "../../src/tensor/tensor.ts";
import { elementCount } from "../../src/tensor/tensor.ts";
import type { ViTMSNConfig } from "../../src/vit_msn/config.ts";
import { type Weights, weightShapes } from "../../src/vit_msn/weights.ts";

/** Weights of a seeded generator, of about the size that training gives them. */
export function randomWeights(config: ViTMSNConfig, { classifier = true } = {}): Weights {
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

/** Pseudo-random numbers from 0 to 1 (mulberry32). */
export function uniform(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, seed | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}
