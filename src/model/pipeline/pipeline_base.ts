import type { ImageSourceOptions } from "../../image/image_source.ts";
import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import type { ViTMSNModel } from "../vit_msn_model.ts";
import type { OpenedModel } from "./open_model.ts";

/** How a pipeline reads images. */
export type PipelineImageOptions = Omit<ImageSourceOptions, "size">;

/** What every pipeline has besides its call. */
export interface PipelineBase<Model extends ViTMSNModel = ViTMSNModel> extends AsyncDisposable {
  /** The task's name. */
  readonly task: string;
  /** The model. */
  readonly model: Model;
  /** Makes `pixel_values` of images. */
  readonly processor: ViTImageProcessor;
  /** Frees the model, unless it was made elsewhere. */
  dispose(): Promise<void>;
}

/** Gives a function the members of a pipeline. */
export function asPipeline<Call extends object, Model extends ViTMSNModel>(
  call: Call,
  task: string,
  model: Model,
  { dispose }: OpenedModel,
): Call & PipelineBase<Model> {
  const { processor } = model;
  return Object.assign(call, { task, model, processor, dispose, [Symbol.asyncDispose]: dispose });
}
