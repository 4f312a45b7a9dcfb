import type { HandlerOptions } from "../../src/http/handler.ts";
import { clientOptions } from "./client_options.ts";
import type { ServedModel } from "../../src/http/served_model.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { fetchModel, openModel } from "./open_model.ts";
import type { Settings } from "./settings.ts";

/** Images decoded at a time; more would not fit into a small host's memory. */
const DECODERS = 1;

/** The largest image that is decoded before workers run, in pixels. It takes at most 90 ms, most take 10. */
const PIXELS_BEFORE_WORKERS = 1_000_000;

/** Converts a function's settings to a handler's options. */
export function handlerOptions(
  settings: Settings,
): HandlerOptions & { readonly model: () => Promise<ServedModel> } {
  return {
    ...clientOptions(settings),
    model: () => loadServedModel(settings),
    decoder: new ImageDecoder({ workers: DECODERS, pixelsBeforeWorkers: PIXELS_BEFORE_WORKERS }),
  };
}

async function loadServedModel({ modelUrl, modelSha256 }: Settings): Promise<ServedModel> {
  const importOpenOnnx = () => import("./open_onnx.ts");
  return modelUrl.protocol === "file:"
    ? await openModel(await Deno.readFile(modelUrl), modelSha256, importOpenOnnx)
    : await fetchModel(modelUrl, modelSha256, importOpenOnnx);
}
