import {
  type Head,
  type ModelFile,
  readModelFile,
  toFeature,
  type ViTMSNModel,
} from "../../../mod.ts";
import type { LoadedModel } from "../loaded_model.ts";
import { modelBytes } from "./model_hash.ts";

const files = new WeakMap<Uint8Array, ModelFile>();
const heads = new WeakMap<ViTMSNModel, Head>();

/** The file of the model that is loaded, parsed. */
export function modelFile(model: LoadedModel): ModelFile {
  const bytes = modelBytes(model);
  const file = files.get(bytes) ?? readModelFile(bytes);
  files.set(bytes, file);
  return file;
}

/**
 * The features [D] of embeddings, on which heads are fitted.
 *
 * @throws {TypeError} if another tool made the model's file, and its final LayerNorm is not known.
 */
export function featuresOf(
  model: LoadedModel,
  embeddings: readonly Float32Array[],
): Float32Array[] {
  const { layerNorm } = modelFile(model);
  if (!layerNorm) {
    throw new TypeError(
      "Cannot teach this model: another tool made its file, and its final LayerNorm is not known; " +
        "`deno task convert` makes one of the checkpoint",
    );
  }
  return embeddings.map((embedding) => toFeature(embedding, layerNorm));
}

/** Keeps the classifier that was fitted on the model. */
export function keepHead({ current }: LoadedModel, head: Head): void {
  heads.set(current, head);
}

/**
 * The classifier that was fitted on the model.
 *
 * @throws {Error} if there is none.
 */
export function fittedHead({ current }: LoadedModel): Head {
  const head = heads.get(current);
  if (!head) throw new Error("Cannot name the photo: nothing is taught yet; press Teach first");
  return head;
}
