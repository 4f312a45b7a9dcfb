import { toRawImage, ViTMSNForImageClassification } from "../../mod.ts";
import type { Handler } from "./handlers.ts";

/** Names what is on a photo, in steps, to tell how long each takes. The answer is that of `model.classify`. */
export const classify: Handler<"classify"> = async (
  { image, keepPatches = 1, seed = 0 },
  { model: { current: model } },
) => {
  const start = performance.now();
  const pixels = await toRawImage(image, model.processor.decodeOptions("standard"));
  const decoded = performance.now();
  const pixelValues = model.processor.preprocess([pixels]);
  const preprocessed = performance.now();
  const keep = { keepPatches, seed };
  const labels = model instanceof ViTMSNForImageClassification
    ? (await model.classify(pixelValues, { ...keep, topK: model.config.id2label.length }))[0]!
    : (await model.embed(pixelValues, keep), []);
  return {
    labels,
    milliseconds: {
      decode: decoded - start,
      preprocess: preprocessed - decoded,
      forward: performance.now() - preprocessed,
    },
    width: pixels.width,
    height: pixels.height,
  };
};
