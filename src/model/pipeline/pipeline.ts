import { imageClassification, type ImageClassificationPipeline } from "./image_classification.ts";
import {
  imageFeatureExtraction,
  type ImageFeatureExtractionPipeline,
} from "./image_feature_extraction.ts";
import { type ModelSource, type OpenedModel, openModel, type OpenOptions } from "./open_model.ts";
import type { PipelineImageOptions } from "./pipeline_base.ts";

/** How {@linkcode pipeline} opens the model and, unless a call says otherwise, reads images. */
export interface PipelineOptions extends OpenOptions, Omit<PipelineImageOptions, "signal"> {}

/** The tasks of {@linkcode pipeline}, and what each makes. */
export interface Pipelines {
  /** Names what is on images. */
  readonly "image-classification": ImageClassificationPipeline;
  /** Makes tokens or embeddings of images. */
  readonly "image-feature-extraction": ImageFeatureExtractionPipeline;
}

/** The task of a {@linkcode pipeline}. */
export type PipelineTask = keyof Pipelines;

const TASKS: {
  readonly [Task in PipelineTask]: (
    opened: OpenedModel,
    defaults: PipelineImageOptions,
  ) => Pipelines[Task];
} = {
  "image-classification": imageClassification,
  "image-feature-extraction": imageFeatureExtraction,
};

/**
 * Makes a function of images, with the arguments and results of transformers.js' `pipeline`.
 *
 * The differences: scores are computed as the model's config says (sigmoid for several labels, none for
 * regression), while transformers.js always applies softmax; `pool: true` gives the CLS token, while
 * transformers.js needs a pooler, which ViT-MSN has not; images are resized as by Pillow; and servers fetch
 * URLs from `allowedHosts` only.
 *
 * @param task `image-classification` or `image-feature-extraction`.
 * @param model `org/name` on the hub, an address, a path, an ONNX file's bytes, or a model, which stays the
 * caller's: `dispose` leaves it alone.
 * @throws {TypeError} if there is no such task or option, or the task needs a classifier and the model has none.
 * @throws {SyntaxError} if the bytes are not a model's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pipeline } from "./pipeline.ts";
 *
 * const model = await Deno.readFile("functions/_shared/model.onnx");
 * const classify = await pipeline("image-classification", model);
 * const photo = await Deno.readFile("test/images/ship.jpg");
 * const [best] = await classify(photo, { top_k: 3 });
 * assertEquals(best?.label, "ship");
 * await classify.dispose();
 * ```
 */
export async function pipeline<Task extends PipelineTask>(
  task: Task,
  model: ModelSource | Promise<ModelSource>,
  options: PipelineOptions = {},
): Promise<Pipelines[Task]> {
  if (!Object.hasOwn(TASKS, task)) {
    throw new TypeError(
      `Cannot make a pipeline: there is no task "${task}"; there are ${
        Object.keys(TASKS).join(", ")
      }`,
    );
  }
  const { allowedHosts, decode, limits, ...opening } = options;
  const { fetch } = opening;
  const images = {
    ...(allowedHosts ? { allowedHosts } : {}),
    ...(decode ? { decode } : {}),
    ...(fetch ? { fetch } : {}),
    ...(limits ? { limits } : {}),
  };
  const opened = await openModel(await model, opening);
  try {
    return TASKS[task](opened, images);
  } catch (error) {
    await opened.dispose();
    throw error;
  }
}
