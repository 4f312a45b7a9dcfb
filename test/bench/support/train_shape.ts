import type { TuneMode } from "../../../src/train/tune.ts";
import { parseConfig, type ViTMSNConfig } from "../../../src/vit_msn/config.ts";
import { flopsOf } from "../../../src/vit_msn/flops.ts";

/** What is trained: a model's shape, by Hugging Face's names, and the images of a batch. */
export interface TrainShape {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly image_size: number;
  readonly patch_size: number;
  readonly classes: number;
  readonly batch: number;
}

/** The shapes by the names of their models. */
export const TRAIN_SHAPES = {
  embedded: {
    hidden_size: 192,
    num_hidden_layers: 6,
    num_attention_heads: 3,
    intermediate_size: 768,
    image_size: 32,
    patch_size: 4,
    classes: 10,
    batch: 64,
  },
  small: {
    hidden_size: 384,
    num_hidden_layers: 12,
    num_attention_heads: 6,
    intermediate_size: 1536,
    image_size: 224,
    patch_size: 16,
    classes: 10,
    batch: 16,
  },
} as const satisfies Record<string, TrainShape>;

/** A model's config. */
export function configOf({ classes, batch: _, ...shape }: TrainShape): ViTMSNConfig {
  const id2label = Object.fromEntries(Array.from({ length: classes }, (_, i) => [i, `class ${i}`]));
  return parseConfig({ model_type: "vit_msn", ...shape, id2label });
}

/** T, the tokens of an image with CLS. */
export function tokensOf({ image_size, patch_size }: TrainShape): number {
  return (image_size / patch_size) ** 2 + 1;
}

/**
 * The nominal FLOPs of an image's step: of what is computed, three forwards, as the gradients by activations and
 * by weights are one each. LoRA has two, because frozen weights have no gradients; `last` begins at the inputs of
 * its blocks.
 */
export function trainingFlops(shape: TrainShape, tune: TuneMode): number {
  const config = configOf(shape);
  const flops = (numHiddenLayers: number) =>
    flopsOf({ ...config, numHiddenLayers }, tokensOf(shape));
  if (tune.kind === "last") return 3 * (flops(tune.blocks) - flops(0));
  return (tune.kind === "lora" ? 2 : 3) * flops(config.numHiddenLayers);
}
