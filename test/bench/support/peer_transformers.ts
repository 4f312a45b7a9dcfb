import type { Embed } from "../peers.ts";
import {
  type Documents,
  MODEL_NAME,
  ONE_THREAD,
  transformersOf,
  writeTransformersModel,
} from "./transformers.ts";

/** transformers.js with a model folder of its own, which is deleted again; one thread. */
export async function transformersJs(model: Uint8Array, documents: Documents): Promise<Embed> {
  const folder = await Deno.makeTempDir();
  try {
    await writeTransformersModel(folder, model, documents);
    const { AutoModel, AutoProcessor, RawImage } = await transformersOf(folder);
    const processor = await AutoProcessor.from_pretrained(MODEL_NAME);
    const forward = await AutoModel.from_pretrained(MODEL_NAME, ONE_THREAD);
    return async (photo) => {
      const image = await RawImage.fromBlob(new Blob([photo as Uint8Array<ArrayBuffer>]));
      const { last_hidden_state: { data, dims } } = await forward(await processor(image));
      return data.slice(0, dims[2]);
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
