import { uniform } from "../../random.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import type { Batch, Objective } from "../../../src/train/engine/batch.ts";
import type { EngineOptions } from "../../../src/train/engine/engine_options.ts";
import { labelTargets } from "../../../src/train/finetune/targets.ts";
import { parseConfig, patchGrid, type ViTMSNConfig } from "../../../src/vit_msn/config.ts";
import { MASK_TOKEN, type ViTMSNWeights } from "../../../src/vit_msn/weights.ts";
import { randomWeights } from "../../vit_msn/random_weights.ts";

/** A `config.json` with nothing that is a multiple of 8, in blocks enough to have one in the middle. */
export const SMALL = {
  model_type: "vit_msn",
  hidden_size: 20,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 13,
  image_size: [8, 12],
  patch_size: [4, 3],
  num_labels: 5,
};

/** A model whose weights are random, with a mask token. */
export function smallModel(changes: Readonly<Record<string, unknown>> = {}): {
  config: ViTMSNConfig;
  weights: ViTMSNWeights;
} {
  const config = parseConfig({ ...SMALL, ...changes });
  const shape = [1, 1, config.hiddenSize];
  const data = numbers(7, config.hiddenSize);
  const weights = new Map<string, Tensor>(randomWeights(config));
  return { config, weights: weights.set(MASK_TOKEN, { dtype: "float32", shape, data }) };
}

/** Numbers of a seeded generator, from -1 to 1. */
export function numbers(seed: number, count: number): Float32Array {
  const random = uniform(seed);
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}

/** A batch that fits an engine. */
export function smallBatch(
  config: ViTMSNConfig,
  { batchSize, imageSize = config.imageSize, keptPatches, masks }: EngineOptions,
): Batch & { readonly pixelValues: Float32Array } {
  const { numChannels, patchSize } = config;
  const [rows, columns] = patchGrid({ imageSize, patchSize });
  const N = rows * columns;
  const random = uniform(3);
  return {
    images: batchSize,
    pixelValues: numbers(5, batchSize * numChannels * imageSize[0] * imageSize[1]),
    ...(keptPatches === undefined ? {} : {
      keptPatches: Int32Array.from(
        { length: batchSize * keptPatches },
        (_, i) => (5 * Math.floor(i / keptPatches) + 3 * (i % keptPatches)) % N,
      ),
    }),
    ...(masks
      ? { maskedPatches: Uint8Array.from({ length: batchSize * N }, () => Number(random() < 0.4)) }
      : {}),
  };
}

/** The cross-entropy of labels. */
export function crossEntropy(images: number, classCount = SMALL.num_labels): Objective {
  const labels = Array.from({ length: images }, (_, i) => (2 * i + 1) % classCount);
  return {
    loss: "cross_entropy",
    targets: labelTargets(labels, classCount, { labelSmoothing: 0.1 }),
  };
}
