import type { ServedModel } from "../../src/http/served_model.ts";
import { fetchModel, openModel } from "../_shared/open_model.ts";
import type { Settings } from "../_shared/settings.ts";

/** The static assets of a Worker, as far as they are used here. */
export interface Assets {
  fetch(url: URL): Promise<Response>;
}

/** An R2 bucket, as far as it is used here. */
export interface Bucket {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

/** What {@linkcode loadWorkerModel} reads of a Worker's bindings. */
export interface ModelBindings {
  /** Has the model that was built with the Worker. */
  readonly ASSETS?: Assets;
  /** Has the model under {@linkcode MODEL_KEY}. */
  readonly MODEL_BUCKET?: Bucket;
  readonly MODEL_KEY?: string;
}

const importOpenOnnx = () => import("./open_onnx.ts");

/**
 * Loads a Worker's model: from the bucket if there is one, from `MODEL_URL`, else from the assets.
 *
 * @throws {Error} if it cannot be had; the message names the binding.
 */
export async function loadWorkerModel(
  { ASSETS, MODEL_BUCKET, MODEL_KEY }: ModelBindings,
  { modelUrl, modelSha256 }: Settings,
): Promise<ServedModel> {
  if (MODEL_BUCKET) {
    if (!MODEL_KEY) throw new Error("Cannot load the model: MODEL_BUCKET needs the var MODEL_KEY");
    const object = await MODEL_BUCKET.get(MODEL_KEY);
    if (!object) {
      throw new Error(
        `Cannot load the model: MODEL_BUCKET has no object with the key ${MODEL_KEY}`,
      );
    }
    return await openModel(new Uint8Array(await object.arrayBuffer()), modelSha256, importOpenOnnx);
  }
  if (modelUrl.protocol === "https:") {
    return await fetchModel(modelUrl, modelSha256, importOpenOnnx);
  }
  const response = await ASSETS?.fetch(new URL(modelUrl.pathname, "https://assets.local"));
  if (!response?.ok) {
    await response?.body?.cancel();
    throw new Error(
      `Cannot load the model: ASSETS answers ${response?.status ?? "nothing: it is not bound"}; ` +
        "deploy the folder with its wrangler.toml",
    );
  }
  return await openModel(new Uint8Array(await response.arrayBuffer()), modelSha256, importOpenOnnx);
}
