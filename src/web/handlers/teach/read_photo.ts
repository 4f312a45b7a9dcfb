/// <reference lib="dom" />
import { toRawImage } from "../../../mod.ts";
import { toPixels } from "../../teach/pixels.ts";
import type { Handler } from "../handlers.ts";
import { modelHash, sha256 } from "./model_hash.ts";
import { thumbnail } from "./thumbnail.ts";

/** Makes a photo ready to be kept. */
export const readPhoto: Handler<"readPhoto"> = async ({ image, name }, { model }) => {
  const { current } = model;
  const raw = await toRawImage(image, current.processor.decodeOptions("standard"));
  const hash = await sha256(
    image instanceof Blob ? new Uint8Array(await image.arrayBuffer()) : raw.data,
  );
  if (!(image instanceof Blob)) image.close();
  const pixelValues = current.processor.preprocess([raw]);
  const { width, height, data } = toPixels(pixelValues, current.processor.config);
  // Copied: the engine's memory may be shared, and shared memory cannot be kept.
  const embedding = new Float32Array((await current.embed(pixelValues)).data);
  return {
    hash,
    name,
    model: await modelHash(model),
    embedding,
    thumbnail: await thumbnail(raw),
    width,
    height,
    pixels: new Uint8Array(data).buffer,
  };
};
