import * as v from "valibot";
import { checkedJson, count, positive } from "../preprocess/checked_json.ts";

/** A validated ViT-MSN `config.json`, with Hugging Face's defaults for missing settings. */
export interface ViTMSNConfig {
  /** D, the width of a token. */
  readonly hiddenSize: number;
  /** L, the number of blocks. */
  readonly numHiddenLayers: number;
  /** The number of attention heads; it divides D. */
  readonly numAttentionHeads: number;
  /** I, the width inside a block's MLP. */
  readonly intermediateSize: number;
  /** The activation function of the MLPs. */
  readonly hiddenAct: HiddenActivation;
  /** ε, which every LayerNorm adds to the variance. */
  readonly layerNormEps: number;
  /** [height, width] in pixels. */
  readonly imageSize: readonly [number, number];
  /** [height, width] in pixels. */
  readonly patchSize: readonly [number, number];
  /** C, the number of colour channels: 3, or 1 for greyscale. */
  readonly numChannels: number;
  /** Whether queries, keys and values have a bias. */
  readonly qkvBias: boolean;
  /** The classes' names by index; without `id2label` in the config, `LABEL_0`, `LABEL_1`, … */
  readonly id2label: readonly string[];
  /** The problem that the classifier was trained for, if the config has it. */
  readonly problemType?: ProblemType;
}

/** The supported activation functions, under Hugging Face's names. */
export type HiddenActivation =
  | "gelu"
  | "gelu_new"
  | "gelu_pytorch_tanh"
  | "quick_gelu"
  | "relu"
  | "silu";

/** The problem that a classifier was trained for, which determines its loss and the meaning of logits. */
export type ProblemType =
  | "regression"
  | "single_label_classification"
  | "multi_label_classification";

const ACTIVATIONS = [
  "gelu",
  "gelu_new",
  "gelu_pytorch_tanh",
  "quick_gelu",
  "relu",
  "silu",
] as const satisfies readonly HiddenActivation[];

const PROBLEM_TYPES = [
  "regression",
  "single_label_classification",
  "multi_label_classification",
] as const satisfies readonly ProblemType[];

/** Far more than any model has. It bounds the memory that a hostile config can make the reader allocate. */
const MAX_COUNT = 1_000_000;
const MAX_LAYERS = 1000;

/** Hugging Face's `ViTMSNConfig`, with its defaults; made when it is needed, as packed models need none. */
function configSchema() {
  const dimension = count(MAX_COUNT);

  // [height, width], given as a pair or as one number for both.
  const size = v.pipe(
    v.union(
      [dimension, v.strictTuple([dimension, dimension])],
      "a positive integer or a pair of them",
    ),
    v.transform((given): [number, number] => typeof given === "number" ? [given, given] : given),
  );

  return v.object({
    model_type: v.literal("vit_msn", '"vit_msn"'),
    hidden_size: v.nullish(dimension, 768),
    num_hidden_layers: v.nullish(count(MAX_LAYERS), 12),
    num_attention_heads: v.nullish(dimension, 12),
    intermediate_size: v.nullish(dimension, 3072),
    hidden_act: v.nullish(v.picklist(ACTIVATIONS, `one of ${ACTIVATIONS}`), "gelu"),
    layer_norm_eps: v.nullish(positive, 1e-6),
    image_size: v.nullish(size, 224),
    patch_size: v.nullish(size, 16),
    num_channels: v.nullish(dimension, 3),
    qkv_bias: v.nullish(v.boolean("true or false"), true),
    num_labels: v.nullish(dimension, 2),
    id2label: v.nullish(
      v.pipe(
        v.record(v.string(), v.string("a string"), "an object"),
        // The keys are "0", "1", … without gaps.
        v.transform((names) => Object.keys(names).map((_, id) => names[id])),
        v.check((names) => !names.includes(undefined), "a name for every index from 0 on"),
      ),
    ),
    problem_type: v.nullish(v.picklist(PROBLEM_TYPES, `one of ${PROBLEM_TYPES}`)),
  });
}

/**
 * Reads the parsed JSON of a `config.json`.
 *
 * @throws {TypeError} if it is not a `vit_msn` config or a setting is invalid; the message names the
 * setting and its value.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseConfig } from "./config.ts";
 *
 * const config = parseConfig({ model_type: "vit_msn", hidden_size: 384, num_attention_heads: 6 });
 * assertEquals(config.patchSize, [16, 16]);
 * ```
 */
export function parseConfig(json: unknown): ViTMSNConfig {
  const config = checkedJson(configSchema(), json, "the config");
  const labels = config.id2label as string[] | null | undefined;
  const parsed: ViTMSNConfig = {
    hiddenSize: config.hidden_size,
    numHiddenLayers: config.num_hidden_layers,
    numAttentionHeads: config.num_attention_heads,
    intermediateSize: config.intermediate_size,
    hiddenAct: config.hidden_act,
    layerNormEps: config.layer_norm_eps,
    imageSize: config.image_size,
    patchSize: config.patch_size,
    numChannels: config.num_channels,
    qkvBias: config.qkv_bias,
    id2label: labels ?? Array.from({ length: config.num_labels }, (_, i) => `LABEL_${i}`),
    ...(config.problem_type ? { problemType: config.problem_type } : {}),
  };
  const { hiddenSize, numAttentionHeads, imageSize, patchSize } = parsed;
  if (hiddenSize % numAttentionHeads !== 0) {
    throw new TypeError(
      `Cannot read the config: hidden_size ${hiddenSize} is not a multiple of ` +
        `num_attention_heads ${numAttentionHeads}`,
    );
  }
  if (patchSize[0] > imageSize[0] || patchSize[1] > imageSize[1]) {
    throw new TypeError(
      `Cannot read the config: patch_size ${patchSize} is larger than image_size ${imageSize}`,
    );
  }
  return parsed;
}

/** The grid of patches, [rows, columns]. Pixels beyond the last whole patch are ignored. */
export function patchGrid(
  { imageSize, patchSize }: Pick<ViTMSNConfig, "imageSize" | "patchSize">,
): [number, number] {
  return [Math.floor(imageSize[0] / patchSize[0]), Math.floor(imageSize[1] / patchSize[1])];
}
