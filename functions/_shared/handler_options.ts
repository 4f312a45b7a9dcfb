import type { HandlerOptions, RequestLogEntry } from "../../src/http/handler.ts";
import type { ServedModel } from "../../src/http/served_model.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { createPackedModel } from "../../src/model/packed_model.ts";
import { modelOf } from "../../src/model/vit_msn_model.ts";
import { isPackedFile, readPackedFile } from "../../src/runtime/simd/packed_file.ts";
import { sha256 } from "../../src/tensor/sha256.ts";
import type { Settings } from "./settings.ts";

/** Images decoded at a time; more would not fit into a small host's memory. */
const DECODERS = 1;

/** The largest image that is decoded before workers run, in pixels. It takes at most 90 ms, most take 10. */
const PIXELS_BEFORE_WORKERS = 1_000_000;

/** Converts a function's settings to a handler's options. */
export function handlerOptions(settings: Settings): HandlerOptions {
  return {
    model: () => loadServedModel(settings),
    decoder: new ImageDecoder({ workers: DECODERS, pixelsBeforeWorkers: PIXELS_BEFORE_WORKERS }),
    decode: settings.decode,
    name: settings.name,
    apiKeys: settings.apiKeys,
    allowOrigins: settings.allowOrigins,
    log: (entry: RequestLogEntry) => console.log(JSON.stringify(entry)),
  };
}

async function loadServedModel({ modelUrl, modelSha256 }: Settings): Promise<ServedModel> {
  if (modelUrl.protocol !== "file:") {
    return await openModel(await fetchModel(modelUrl), modelSha256);
  }
  const bytes = await Deno.readFile(modelUrl);
  if (!isPackedFile(bytes)) return await openModel(bytes, modelSha256);
  const file = readPackedFile(bytes);
  assertSha256(file.sha256, modelSha256);
  return { model: await createPackedModel(file), sha256: file.sha256 };
}

/** Opens an ONNX model. */
async function openModel(
  bytes: Uint8Array<ArrayBuffer>,
  expected: string | undefined,
): Promise<ServedModel> {
  const hash = await sha256(bytes);
  assertSha256(hash, expected);
  const { openOnnx } = await import("./open_onnx.ts");
  const { description, session } = await openOnnx(bytes);
  return { model: modelOf(description, session), sha256: hash };
}

function assertSha256(hash: string, expected: string | undefined): void {
  if (!expected || hash === expected) return;
  throw new Error(`Cannot use the model: its SHA-256 is ${hash}, not ${expected}`);
}

async function fetchModel(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`Cannot fetch the model: the status is ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
