/** A model of `src/deit.py` in facebookresearch/msn that has no convolutional stem. */
export type ModelName =
  | "deit_tiny"
  | "deit_small"
  | "deit_small_p8"
  | "deit_small_p7"
  | "deit_base"
  | "deit_base_p8"
  | "deit_base_p7"
  | "deit_base_p4"
  | "deit_large"
  | "deit_large_p8"
  | "deit_large_p7"
  | "deit_huge"
  | "deit_huge_p10"
  | "deit_huge_p8"
  | "deit_huge_p7";

/** [hidden_size, num_hidden_layers, num_attention_heads, patch_size]; an MLP is four times as wide. */
const SHAPES: Readonly<Record<ModelName, readonly [number, number, number, number]>> = {
  deit_tiny: [192, 12, 3, 16],
  deit_small: [384, 12, 6, 16],
  deit_small_p8: [384, 12, 6, 8],
  deit_small_p7: [384, 12, 6, 7],
  deit_base: [768, 12, 12, 16],
  deit_base_p8: [768, 12, 12, 8],
  deit_base_p7: [768, 12, 12, 7],
  deit_base_p4: [768, 12, 12, 4],
  deit_large: [1024, 24, 16, 16],
  deit_large_p8: [1024, 24, 16, 8],
  deit_large_p7: [1024, 24, 16, 7],
  deit_huge: [1280, 32, 16, 16],
  deit_huge_p10: [1280, 32, 16, 10],
  deit_huge_p8: [1280, 32, 16, 8],
  deit_huge_p7: [1280, 32, 16, 7],
};

/** All names, the smallest model first. */
export const MODEL_NAMES: readonly ModelName[] = Object.keys(SHAPES) as ModelName[];

/**
 * The `config.json` of a named model, as Hugging Face writes it, for `parseConfig`.
 *
 * @param imageSize height and width in pixels.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseConfig } from "../../vit_msn/config.ts";
 * import { modelConfigOf } from "./model_names.ts";
 *
 * const { hiddenSize, patchSize } = parseConfig(modelConfigOf("deit_small", 224));
 * assertEquals(hiddenSize, 384);
 * assertEquals(patchSize, [16, 16]);
 * ```
 */
export function modelConfigOf(name: ModelName, imageSize: number): unknown {
  const [width, blocks, heads, patchSize] = SHAPES[name];
  return {
    model_type: "vit_msn",
    hidden_size: width,
    num_hidden_layers: blocks,
    num_attention_heads: heads,
    intermediate_size: 4 * width,
    hidden_act: "gelu",
    layer_norm_eps: 1e-6,
    image_size: imageSize,
    patch_size: patchSize,
    num_channels: 3,
    qkv_bias: true,
  };
}
