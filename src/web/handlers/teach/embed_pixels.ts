import type { Handler } from "../handlers.ts";

/** Computes embeddings anew, one photo at a time: they may differ in size. */
export const embedPixels: Handler<"embedPixels"> = async (images, { model: { current } }) => {
  const embeddings: Float32Array<ArrayBuffer>[] = [];
  for (const { width, height, pixels } of images) {
    const { data } = await current.embed([{ width, height, data: new Uint8Array(pixels) }]);
    embeddings.push(new Float32Array(data));
  }
  return embeddings;
};
