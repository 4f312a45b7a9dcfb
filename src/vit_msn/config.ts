/** The settings of a ViT-MSN `config.json`, checked and with Hugging Face's defaults filled in. */
export interface ViTMSNConfig {
  /** D, the width of a token. */
  readonly hiddenSize: number;
  /** L, the number of blocks. */
  readonly numHiddenLayers: number;
  /** Divides D. */
  readonly numAttentionHeads: number;
  /** I, the width inside a block's MLP. */
  readonly intermediateSize: number;
  /** The activation function of the MLPs. */
  readonly hiddenAct: Activation;
  /** What every LayerNorm adds to the variance. */
  readonly layerNormEps: number;
  /** [height, width] in pixels. */
  readonly imageSize: readonly [number, number];
  /** [height, width] in pixels. */
  readonly patchSize: readonly [number, number];
  /** C, the colours of an image: 3, or 1 for grey. */
  readonly numChannels: number;
  /** Whether queries, keys and values have a bias. */
  readonly qkvBias: boolean;
  /** The classes' names by index. `LABEL_0` and `LABEL_1` where the config has none. */
  readonly id2label: readonly string[];
  /** What the logits mean, where the config says so. */
  readonly problemType?: ProblemType;
}

/** Hugging Face's names of the activation functions in use. */
export type Activation =
  | "gelu"
  | "gelu_new"
  | "gelu_pytorch_tanh"
  | "quick_gelu"
  | "relu"
  | "silu";

/** How a classifier was trained. */
export type ProblemType =
  | "regression"
  | "single_label_classification"
  | "multi_label_classification";

const ACTIVATIONS: readonly Activation[] = [
  "gelu",
  "gelu_new",
  "gelu_pytorch_tanh",
  "quick_gelu",
  "relu",
  "silu",
];

const PROBLEM_TYPES: readonly ProblemType[] = [
  "regression",
  "single_label_classification",
  "multi_label_classification",
];

/**
 * Reads the parsed JSON of a `config.json`.
 *
 * @throws {TypeError} if it is not a `vit_msn` config or a setting cannot be used; the message names
 * the setting and its value.
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
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("Cannot read the config: it is not a JSON object");
  }
  const config = json as Record<string, unknown>;
  if (config.model_type !== "vit_msn") {
    throw new TypeError(
      `Cannot read the config: model_type is ${JSON.stringify(config.model_type)}, not "vit_msn"`,
    );
  }
  const problemType = config.problem_type;
  const parsed: ViTMSNConfig = {
    hiddenSize: integer(config, "hidden_size", 768),
    numHiddenLayers: integer(config, "num_hidden_layers", 12, MAX_LAYERS),
    numAttentionHeads: integer(config, "num_attention_heads", 12),
    intermediateSize: integer(config, "intermediate_size", 3072),
    hiddenAct: oneOf(config, "hidden_act", ACTIVATIONS, "gelu"),
    layerNormEps: positive(config, "layer_norm_eps", 1e-6),
    imageSize: pair(config, "image_size", 224),
    patchSize: pair(config, "patch_size", 16),
    numChannels: integer(config, "num_channels", 3),
    qkvBias: boolean(config, "qkv_bias", true),
    id2label: labels(config),
    ...(problemType === undefined || problemType === null
      ? {}
      : { problemType: oneOf(config, "problem_type", PROBLEM_TYPES, "regression") }),
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

/** The patches' grid: [rows, columns]. Pixels that fill no whole patch are left out. */
export function patchGrid(
  { imageSize, patchSize }: Pick<ViTMSNConfig, "imageSize" | "patchSize">,
): [number, number] {
  return [Math.floor(imageSize[0] / patchSize[0]), Math.floor(imageSize[1] / patchSize[1])];
}

type Json = Record<string, unknown>;

/** Far more than any model has; a larger number would only take the memory of whoever reads it. */
const MAX_COUNT = 1_000_000;
const MAX_LAYERS = 1000;

function isCount(value: unknown, max = MAX_COUNT): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max;
}

function integer(config: Json, name: string, otherwise: number, max = MAX_COUNT): number {
  const value = config[name] ?? otherwise;
  return isCount(value, max) ? value : invalid(name, value, `an integer from 1 to ${max}`);
}

function positive(config: Json, name: string, otherwise: number): number {
  const value = config[name] ?? otherwise;
  const isPositive = typeof value === "number" && value > 0 && value < Infinity;
  return isPositive ? value : invalid(name, value, "a positive number");
}

function boolean(config: Json, name: string, otherwise: boolean): boolean {
  const value = config[name] ?? otherwise;
  return typeof value === "boolean" ? value : invalid(name, value, "true or false");
}

function oneOf<T extends string>(config: Json, name: string, names: readonly T[], otherwise: T): T {
  const value = config[name] ?? otherwise;
  return names.find((known) => known === value) ?? invalid(name, value, `one of ${names}`);
}

function pair(config: Json, name: string, otherwise: number): [number, number] {
  const value = config[name] ?? otherwise;
  const [height, width, ...rest] = Array.isArray(value) ? value : [value, value];
  return isCount(height) && isCount(width) && rest.length === 0
    ? [height, width]
    : invalid(name, value, "an integer of at least 1 or a pair of them");
}

/** `id2label` maps "0", "1", … to names; every index must be there. */
function labels(config: Json): string[] {
  const id2label = config.id2label ??
    Object.fromEntries(
      Array.from({ length: integer(config, "num_labels", 2) }, (_, i) => [i, `LABEL_${i}`]),
    );
  if (typeof id2label !== "object" || id2label === null) {
    return invalid("id2label", id2label, "an object");
  }
  const entries = id2label as Record<string, unknown>;
  return Array.from({ length: Object.keys(entries).length }, (_, id) => {
    const label = entries[id];
    return typeof label === "string" ? label : invalid(`id2label[${id}]`, label, "a string");
  });
}

function invalid(name: string, value: unknown, expected: string): never {
  throw new TypeError(
    `Cannot read the config: ${name} is ${JSON.stringify(value)}, not ${expected}`,
  );
}
