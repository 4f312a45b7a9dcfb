import type { DataType, Tensor } from "../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "./config.ts";
import { toHuggingFaceNames } from "./weight_names.ts";

/** A model's weights under Hugging Face's names, without the prefix `vit.` that a classifier's have. */
export type ViTMSNWeights = ReadonlyMap<string, Tensor>;

/** [1, 1, D], replaces masked patches. A checkpoint without it does not support `bool_masked_pos`. */
export const MASK_TOKEN = "embeddings.mask_token";

/** The error message for masks with such a checkpoint. */
export const NO_MASK_TOKEN = "Cannot take bool_masked_pos: the checkpoint has no mask_token";

/** The shapes of all weights of a model, except the mask token. */
export function weightShapes(
  config: ViTMSNConfig,
  { classifier }: { classifier: boolean },
): Map<string, number[]> {
  const { hiddenSize: D, intermediateSize: I, numChannels: C, patchSize } = config;
  const [rows, columns] = patchGrid(config);
  const shapes = new Map<string, number[]>();
  const linear = (name: string, outputs: number, inputs: number, bias = true) => {
    shapes.set(`${name}.weight`, [outputs, inputs]);
    if (bias) shapes.set(`${name}.bias`, [outputs]);
  };
  const layerNorm = (name: string) => {
    shapes.set(`${name}.weight`, [D]);
    shapes.set(`${name}.bias`, [D]);
  };
  shapes.set("embeddings.cls_token", [1, 1, D]);
  shapes.set("embeddings.position_embeddings", [1, rows * columns + 1, D]);
  shapes.set("embeddings.patch_embeddings.projection.weight", [D, C, ...patchSize]);
  shapes.set("embeddings.patch_embeddings.projection.bias", [D]);
  for (let i = 0; i < config.numHiddenLayers; i++) {
    const layer = `encoder.layer.${i}`;
    layerNorm(`${layer}.layernorm_before`);
    for (const role of ["query", "key", "value"]) {
      linear(`${layer}.attention.attention.${role}`, D, D, config.qkvBias);
    }
    linear(`${layer}.attention.output.dense`, D, D);
    layerNorm(`${layer}.layernorm_after`);
    linear(`${layer}.intermediate.dense`, I, D);
    linear(`${layer}.output.dense`, D, I);
  }
  layerNorm("layernorm");
  if (classifier) linear("classifier", config.id2label.length, D);
  return shapes;
}

/** Whether the weights have a classifier. A config cannot tell, because a backbone's may have labels, too. */
export function hasClassifier(weights: ReadonlyMap<string, unknown>): boolean {
  return weights.has("classifier.weight");
}

/**
 * Validates a checkpoint's tensors against a config.
 *
 * @param tensors the tensors, under any names that {@linkcode toHuggingFaceNames} accepts.
 * @returns the weights in the order of the forward pass, the mask token last.
 * @throws {TypeError} if a weight is missing, duplicate or unknown, or has the wrong shape or data type; the
 * message lists names and shapes.
 */
export function toWeights(
  tensors: ReadonlyMap<string, Tensor>,
  config: ViTMSNConfig,
): ViTMSNWeights {
  const found = toHuggingFaceNames(tensors);
  const expected = weightShapes(config, { classifier: hasClassifier(found) });
  if (found.has(MASK_TOKEN)) expected.set(MASK_TOKEN, [1, 1, config.hiddenSize]);
  const wrong: string[] = [];
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of expected) {
    const tensor = found.get(name);
    if (!tensor) wrong.push(`${name} [${shape}] is missing`);
    else if (tensor.shape.join() !== shape.join()) {
      wrong.push(`${name} is [${tensor.shape}] and should be [${shape}]`);
    } else if (!FLOATS.includes(tensor.dtype)) {
      wrong.push(`${name} is ${tensor.dtype}, not a floating-point type`);
    } else weights.set(name, tensor);
  }
  for (const [name, { shape }] of found) {
    if (!expected.has(name)) wrong.push(`${name} [${shape}] is unknown`);
  }
  if (wrong.length > 0) {
    throw new TypeError(
      `Cannot use the weights, ${wrong.length} do not fit the config: ${listOf(wrong)}`,
    );
  }
  return weights;
}

const FLOATS: readonly DataType[] = ["float32", "float16", "bfloat16", "float64"];

const MAX_LISTED = 10;

function listOf(lines: readonly string[]): string {
  const rest = lines.length - MAX_LISTED;
  return lines.slice(0, MAX_LISTED).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}
