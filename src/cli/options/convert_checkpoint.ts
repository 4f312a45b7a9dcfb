import { readCheckpoint } from "../../hub/read_checkpoint.ts";
import {
  parsePreprocessorConfig,
  type PreprocessorConfig,
} from "../../preprocess/preprocessor_config.ts";
import { parseConfig, type ViTMSNConfig } from "../../vit_msn/config.ts";
import type { OutputName } from "../../vit_msn/graph.ts";
import { withImageSize } from "../../vit_msn/image_size.ts";
import { writeModelFile } from "../../vit_msn/model_file.ts";
import type { WeightDataType } from "../../vit_msn/quantize.ts";
import { hasClassifier, toWeights } from "../../vit_msn/weights.ts";
import { writeFile } from "../../hub/write_file.ts";

/** What ViT-MSN's released models state; used where there is no image processor. */
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

/** What kind of file to make. */
export interface ConvertOptions {
  readonly dtype: WeightDataType;
  /** [height, width] of the images; default is the config's. */
  readonly imageSize?: readonly [number, number];
  /** What the file's graph computes; default is `last_hidden_state` and, with a classifier, `logits`. */
  readonly outputs?: readonly OutputName[];
}

/** What a converted file is good for: images to labels, images to embeddings, or tensors alone. */
export type Use = "classify" | "embed" | "forward";

/**
 * Makes one ONNX file of a checkpoint.
 *
 * @param warn is told what the file's user should know, in one line.
 * @param source a folder or a weights file; see {@linkcode readCheckpoint}.
 * @throws {Error} if it cannot be read or used, or the file not written.
 */
export async function convertCheckpoint(
  source: string,
  out: string,
  { dtype, imageSize, outputs }: ConvertOptions,
  warn: (message: string) => void,
): Promise<{ use: Use }> {
  const checkpoint = await readCheckpoint(source);
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
      `${source} comes without a preprocessor_config.json: images will be resized to ` +
        `${width} × ${height} and normalised by ImageNet's mean and standard deviation`,
    );
  }
  const processor = preprocessorConfig ?? { size: { height, width }, ...IMAGENET };
  const obstacle = obstacleToImages(parsed, parsePreprocessorConfig(processor));
  if (obstacle) warn(`the model takes tensors, but no images: ${obstacle}`);
  const hasLabels = hasClassifier(weights) && (!outputs || outputs.includes("logits"));
  if (hasClassifier(weights) && !hasLabels) {
    warn("the file has no classifier: it was not among the outputs");
  }
  await writeFile(out, writeModelFile(config, processor, weights, dtype, outputs));
  if (obstacle) return { use: "forward" };
  if (hasLabels) return { use: "classify" };
  return { use: !outputs || outputs.includes("last_hidden_state") ? "embed" : "forward" };
}

/** An image processor that makes images of another size, with as much cut off around them. */
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

/** Why the image processor's pixels are none that the model takes, if so. */
function obstacleToImages(config: ViTMSNConfig, processor: PreprocessorConfig): string | undefined {
  if (config.numChannels !== 3) {
    return `it has ${config.numChannels} channels, images come with 3`;
  }
  const { doResize, size, doCenterCrop, cropSize } = processor;
  const resized = doResize && "height" in size ? size : undefined;
  const final = doCenterCrop ? cropSize : resized;
  const [height, width] = config.imageSize;
  if (!final && !doResize) return "its image processor neither resizes nor crops";
  if (!final || final.height === height && final.width === width) return undefined;
  return `its image_size is ${height} × ${width}, its image processor makes ${final.height} × ${final.width}`;
}
