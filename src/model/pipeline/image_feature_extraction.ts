import type { ImageSource } from "../../image/image_source.ts";
import type { Pooling } from "../outputs/pool.ts";
import type { OpenedModel } from "./open_model.ts";
import { asPipeline, type PipelineBase, type PipelineImageOptions } from "./pipeline_base.ts";
import { PipelineTensor } from "./pipeline_tensor.ts";

/** Options of an {@linkcode ImageFeatureExtractionPipeline}'s call. */
export interface ImageFeatureExtractionPipelineOptions extends PipelineImageOptions {
  /**
   * `cls` or `true` for the CLS token, `mean` for the mean of the patch tokens; by default, and with `false`
   * or `null`, all tokens. Where a model has no pooler, and ViT-MSN has none, transformers.js refuses `true`.
   */
  readonly pool?: Pooling | boolean | null;
}

/** The pipeline of the task `image-feature-extraction`. */
export interface ImageFeatureExtractionPipeline extends PipelineBase {
  /**
   * Computes the tokens or the embeddings of images.
   *
   * @returns float32: `last_hidden_state` [B, T, D], CLS first; with `pool`, [B, D]. B is 1 for one image.
   * @throws {TypeError} if there is no such `pool`.
   * @throws {ImageDecodeError} if an image cannot be decoded.
   */
  (
    images: ImageSource | readonly ImageSource[],
    options?: ImageFeatureExtractionPipelineOptions,
  ): Promise<PipelineTensor>;
}

/** Makes the pipeline. */
export function imageFeatureExtraction(
  opened: OpenedModel,
  defaults: PipelineImageOptions,
): ImageFeatureExtractionPipeline {
  const { model } = opened;
  const call = async (
    images: ImageSource | readonly ImageSource[],
    { pool, ...options }: ImageFeatureExtractionPipelineOptions = {},
  ) => {
    const pooling = pool === true ? "cls" : pool || undefined;
    if (pooling !== undefined && pooling !== "cls" && pooling !== "mean") {
      throw new TypeError(
        `Cannot pool the tokens: pool is ${pooling}, not true, false, "cls" or "mean"`,
      );
    }
    const reading = { ...defaults, ...options };
    const { shape, data } = pooling
      ? await model.embed(images, { ...reading, pool: pooling })
      : await model.embedTokens(images, reading);
    return new PipelineTensor(data, shape);
  };
  return asPipeline(call, "image-feature-extraction", model, opened);
}
