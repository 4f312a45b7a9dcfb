import type { HandlerOptions, LogEntry } from "../../src/http/handler.ts";
import type { ServedModel } from "../../src/http/served_model.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import type { Settings } from "./settings.ts";

/** Images that are decoded at a time: their pixels have to fit into a small host's memory. */
const DECODERS = 1;

/** Of an image that is decoded before there are workers: it takes 90 ms at most, most take 10. */
const PIXELS_BEFORE_WORKERS = 1_000_000;

/** Makes a handler's options of a function's settings. */
export function handlerOptions(settings: Settings): HandlerOptions {
  return {
    model: () => loadServedModel(settings),
    decoder: new ImageDecoder({ workers: DECODERS, pixelsBeforeWorkers: PIXELS_BEFORE_WORKERS }),
    name: settings.name,
    apiKeys: settings.apiKeys,
    allowOrigins: settings.allowOrigins,
    log: (entry: LogEntry) => console.log(JSON.stringify(entry)),
  };
}

async function loadServedModel({ modelUrl, modelSha256 }: Settings): Promise<ServedModel> {
  const bytes = modelUrl.protocol === "file:"
    ? await Deno.readFile(modelUrl)
    : await fetchModel(modelUrl);
  const hash = await sha256(bytes);
  if (modelSha256 && hash !== modelSha256) {
    throw new Error(`Cannot use the model: its SHA-256 is ${hash}, not ${modelSha256}`);
  }
  return { model: await loadModel(bytes), sha256: hash };
}

async function fetchModel(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`Cannot fetch the model: the status is ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
