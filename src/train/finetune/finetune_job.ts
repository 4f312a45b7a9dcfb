import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { LayerNormWeights } from "../../vit_msn/layer_norm.ts";
import type { FinetuneDataset, FinetuneRun } from "./finetune_events.ts";
import type { FinetuneOptions } from "./finetune_options.ts";
import { randomStream, shuffled, Stream } from "../random_stream.ts";
import type { TrainingSet } from "../training_set.ts";

/** What all parts of a fine-tuning work on. */
export interface Job {
  readonly config: ViTMSNConfig;
  readonly processor: ViTImageProcessor;
  readonly dataset: FinetuneDataset;
  readonly options: FinetuneOptions;
  readonly run: FinetuneRun;
  readonly now: () => number;
}

/** The options of an engine that fine-tuning passes on. With several threads, all are workers. */
export function threadOptions({ threads = 1, build, createWorker }: FinetuneOptions) {
  return {
    threads,
    ...(build ? { build } : {}),
    ...(createWorker ? { createWorker } : {}),
  };
}

/** The most images that the head on frozen features, and the classes' means, are fitted on. */
const MAX_FITTED = 10_000;

/** The numbers of the images that heads and the classes' means are fitted on. */
export function fittedImages({ labels }: TrainingSet, seed = 0): number[] {
  return shuffled(labels.length, randomStream(seed, Stream.ORDER))
    .slice(0, MAX_FITTED).sort((a, b) => a - b);
}

/** The final LayerNorm. */
export function layerNormOf(weights: ReadonlyMap<string, Tensor>): LayerNormWeights {
  return {
    weight: weights.get("layernorm.weight")!.data as Float32Array,
    bias: weights.get("layernorm.bias")!.data as Float32Array,
  };
}
