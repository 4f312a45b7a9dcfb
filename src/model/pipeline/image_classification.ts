import type { ImageSource } from "../../image/image_source.ts";
import type { Classification } from "../outputs/classification.ts";
import { BACKBONE, ViTMSNForImageClassification } from "../vit_msn_model.ts";
import type { OpenedModel } from "./open_model.ts";
import { asPipeline, type PipelineBase, type PipelineImageOptions } from "./pipeline_base.ts";

/** Options of an {@linkcode ImageClassificationPipeline}'s call. */
export interface ImageClassificationPipelineOptions extends PipelineImageOptions {
  /** The largest number of labels; default 5, and `null` for all. */
  readonly top_k?: number | null;
}

/** The pipeline of the task `image-classification`. */
export interface ImageClassificationPipeline extends PipelineBase<ViTMSNForImageClassification> {
  /**
   * Names what is on images.
   *
   * @returns the labels of an image, best first; for a list of images, a list of these.
   * @throws {RangeError} if `top_k` is not an integer of at least 1.
   * @throws {ImageDecodeError} if an image cannot be decoded.
   */
  <Images extends ImageSource | readonly ImageSource[]>(
    images: Images,
    options?: ImageClassificationPipelineOptions,
  ): Promise<Images extends readonly unknown[] ? Classification[][] : Classification[]>;
}

/** Makes the pipeline. */
export function imageClassification(
  opened: OpenedModel,
  defaults: PipelineImageOptions,
): ImageClassificationPipeline {
  const { model } = opened;
  if (!(model instanceof ViTMSNForImageClassification)) {
    throw new TypeError(`Cannot make the pipeline image-classification: ${BACKBONE}`);
  }
  const call = async (
    images: ImageSource | readonly ImageSource[],
    { top_k = 5, ...options }: ImageClassificationPipelineOptions = {},
  ) => {
    const topK = top_k ?? model.config.id2label.length;
    // Either form fits one of classify's signatures.
    return await model.classify(images as ImageSource, { ...defaults, ...options, topK });
  };
  return asPipeline(call, "image-classification", model, opened) as ImageClassificationPipeline;
}
