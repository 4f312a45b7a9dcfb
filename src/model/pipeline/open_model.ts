import { loadModel, type LoadOptions } from "../load_model.ts";
import { ViTMSNModel } from "../vit_msn_model.ts";

/** What a pipeline's model is made of: an ONNX file's bytes, or a model that runs already. */
export type ModelSource = Uint8Array | ArrayBuffer | ViTMSNModel;

/** How {@linkcode openModel} opens a model. */
export type OpenOptions = LoadOptions;

/** A model, and what ends it. */
export interface OpenedModel {
  readonly model: ViTMSNModel;
  /** Frees the model, unless it is the caller's. */
  dispose(): Promise<void>;
}

const OPTIONS = ["config", "head", "preprocessorConfig", "runtime"] as const satisfies readonly (
  keyof OpenOptions
)[];

/**
 * Opens a pipeline's model.
 *
 * @throws {TypeError} if there is no such option, or the model runs already and an option is given.
 */
export async function openModel(source: ModelSource, options: OpenOptions): Promise<OpenedModel> {
  const given = Object.keys(options);
  const unknown = given.find((name) => !(OPTIONS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot open the model: there is no option ${unknown}; there are ${OPTIONS.join(", ")}`,
    );
  }
  if (source instanceof ViTMSNModel) {
    if (given.length === 0) return { model: source, dispose: () => Promise.resolve() };
    throw new TypeError(
      `Cannot open the model with ${given[0]}: it runs already; pass the option to what made it`,
    );
  }
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  const model = await loadModel(bytes, options);
  return { model, dispose: async () => await model[Symbol.asyncDispose]() };
}
