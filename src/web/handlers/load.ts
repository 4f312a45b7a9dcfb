/// <reference lib="dom" />
import {
  bestBuild,
  loadModel,
  type Runtime,
  simdRuntime,
  ViTMSNForImageClassification,
  ViTMSNModel,
} from "../../mod.ts";
import type { LoadProgress, ModelSummary } from "../messages.ts";
import { scriptUrl } from "../script_url.ts";
import type { Handler } from "./handlers.ts";

/** More threads share too few tokens of a single photo. */
const MAX_THREADS = 4;

/** Loads a model from a file of the page, of the visitor or from the hub. */
export const load: Handler<"load"> = async (request, { model, progress }) => {
  const start = performance.now();
  const runtime = simdRuntime({
    threads: Math.min(navigator.hardwareConcurrency, MAX_THREADS),
    createWorker: () =>
      new Worker(scriptUrl(new URL("../simd_worker.ts", import.meta.url)), { type: "module" }),
  });
  if ("hub" in request) {
    const loaded = await ofHub(request.hub, runtime, progress);
    await model.replace(loaded, undefined);
    return summary(loaded, request.hub, performance.now() - start, 0);
  }
  const bytes = "url" in request ? await download(request.url, progress) : request.bytes;
  const downloaded = performance.now();
  const loaded = await loadModel(bytes, { runtime });
  await model.replace(loaded, bytes);
  return summary(loaded, request.name, downloaded - start, performance.now() - downloaded);
};

/** A backbone has labels in its config, too, but none that were trained. */
async function ofHub(
  name: string,
  runtime: Runtime,
  onProgress: (progress: LoadProgress) => void,
): Promise<ViTMSNModel> {
  const received = new Map<string, LoadProgress>();
  return await ViTMSNModel.fromPretrained(name, {
    runtime,
    progress({ file, received: bytes, total }) {
      received.set(file, { received: bytes, total: total ?? 0 });
      const all = [...received.values()];
      onProgress({
        received: all.reduce((sum, { received }) => sum + received, 0),
        total: all.reduce((sum, { total }) => sum + total, 0),
      });
    },
  });
}

async function download(
  url: string,
  onProgress: (progress: LoadProgress) => void,
): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || !response.body) {
    throw new Error(`Cannot load the model: ${url} answers with status ${response.status}`);
  }
  const total = Number(response.headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    received += next.value.length;
    onProgress({ received, total });
  }
  const bytes = new Uint8Array(received);
  let place = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, place);
    place += chunk.length;
  }
  return bytes;
}

function summary(
  model: ViTMSNModel,
  name: string,
  download: number,
  start: number,
): ModelSummary {
  const { config, head } = model;
  const [height, width] = config.imageSize;
  const [patchHeight, patchWidth] = config.patchSize;
  return {
    name,
    labels: model instanceof ViTMSNForImageClassification ? config.id2label : [],
    tellsUnknown: head?.parameters.settings.unknown !== undefined,
    layers: config.numHiddenLayers,
    heads: config.numAttentionHeads,
    dimensions: config.hiddenSize,
    imageSize: [height, width],
    grid: [Math.floor(height / patchHeight), Math.floor(width / patchWidth)],
    engine: { kernels: bestBuild(), threads: model.concurrency },
    milliseconds: { download, start },
  };
}
