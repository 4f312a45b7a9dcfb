import type { Tensors } from "../checkpoint/safetensors.ts";
import {
  IMAGENET,
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../preprocess/preprocessor_config.ts";
import { parseConfig, type ViTMSNConfig } from "./config.ts";
import type { OutputName } from "./graph.ts";
import { withImageSize } from "./image_size.ts";
import { writeModelFile } from "./model_file.ts";
import type { WeightDataType } from "./quantize.ts";
import { hasClassifier, toWeights } from "./weights.ts";

/** Options of {@linkcode fromCheckpoint}. */
export interface FromCheckpointOptions {
  /** The type of the file's weights. */
  readonly dtype: WeightDataType;
  /** [height, width] of the input images, in pixels; default is the config's. */
  readonly imageSize?: readonly [number, number];
  /** The outputs of the file's graph; default is `last_hidden_state` and, with a classifier, `logits`. */
  readonly outputs?: readonly OutputName[];
}

/** A checkpoint's files. */
export interface CheckpointFiles {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; `undefined` if there is none. */
  readonly preprocessorConfig: unknown;
  /** The weights by their names in the file. */
  readonly tensors: Tensors;
}

/** What a converted file can be used for: images to labels, images to embeddings, or tensors only. */
export type Use = "classify" | "embed" | "forward";

/** A checkpoint as one ONNX file. */
export interface ConvertedCheckpoint {
  /** The file in pieces, in order. */
  readonly chunks: readonly Uint8Array[];
  /** What it can be used for. */
  readonly use: Use;
}

/**
 * Converts a checkpoint to one ONNX file. Without an image processor, images are resized to the config's
 * size and normalised by ImageNet's mean and standard deviation.
 *
 * @param source where the checkpoint is, for warnings.
 * @param warn receives one-line warnings for the file's user.
 * @throws {Error} if the checkpoint cannot be used.
 */
export function fromCheckpoint(
  checkpoint: CheckpointFiles,
  { dtype, imageSize, outputs }: FromCheckpointOptions,
  source: string,
  warn: (message: string) => void,
): ConvertedCheckpoint {
  let { config, preprocessorConfig } = checkpoint;
  let weights = toWeights(checkpoint.tensors, parseConfig(config));
  if (imageSize) {
    ({ config, weights } = withImageSize(config, weights, imageSize));
    if (preprocessorConfig !== undefined) {
      preprocessorConfig = withProcessedSize(preprocessorConfig, imageSize);
    }
  }
  const parsed = parseConfig(config);
  const [height, width] = parsed.imageSize;
  if (preprocessorConfig === undefined) {
    warn(
      `${source} has no preprocessor_config.json: images will be resized to ` +
        `${width} × ${height} and normalised by ImageNet's mean and standard deviation`,
    );
  }
  const processor = preprocessorConfig ?? { size: { height, width }, ...IMAGENET };
  const obstacle = obstacleToImages(parsed, parsePreprocessorConfig(processor));
  if (obstacle) warn(`the model accepts tensors but not images: ${obstacle}`);
  const hasLabels = hasClassifier(weights) && (!outputs || outputs.includes("logits"));
  if (hasClassifier(weights) && !hasLabels) {
    warn("the file has no classifier, because --outputs does not include logits");
  }
  const chunks = writeModelFile(config, processor, weights, dtype, outputs);
  if (obstacle) return { chunks, use: "forward" };
  if (hasLabels) return { chunks, use: "classify" };
  return { chunks, use: !outputs || outputs.includes("last_hidden_state") ? "embed" : "forward" };
}

/** Sets an image processor's output size; a centre crop keeps its ratio to the resized image. */
function withProcessedSize(json: unknown, [height, width]: readonly [number, number]): unknown {
  const { doCenterCrop, cropSize, size } = parsePreprocessorConfig(json);
  const resized = { height, width };
  if (!doCenterCrop) return { ...json as object, size: resized };
  const ratio = Math.min(height, width) / Math.min(cropSize.height, cropSize.width);
  const scaled = "shortestEdge" in size
    ? { shortest_edge: Math.round(size.shortestEdge * ratio) }
    : { height: Math.round(size.height * ratio), width: Math.round(size.width * ratio) };
  return { ...json as object, size: scaled, crop_size: resized };
}

/** Why the model cannot take the image processor's output; undefined if it can. */
function obstacleToImages(config: ViTMSNConfig, processor: PreprocessorConfig): string | undefined {
  if (config.numChannels !== 3) {
    return `it has ${config.numChannels} channels, but images have 3`;
  }
  const { doResize, size, doCenterCrop, cropSize } = processor;
  const resized = doResize && "height" in size ? size : undefined;
  const final = doCenterCrop ? cropSize : resized;
  const [height, width] = config.imageSize;
  if (!final && !doResize) return "its image processor neither resizes nor crops";
  if (!final || final.height === height && final.width === width) return undefined;
  return `its image_size is ${height} × ${width}, but its image processor outputs ${final.height} × ${final.width}`;
}
