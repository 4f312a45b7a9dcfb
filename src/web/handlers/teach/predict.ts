/// <reference lib="dom" />
import { toRawImage } from "../../../mod.ts";
import type { Handler } from "../handlers.ts";
import { fittedHead } from "./fitted.ts";

/** Names what is on a photo: the scores are those of the model that `writeModel` writes. */
export const predict: Handler<"predict"> = async ({ image }, { model }) => {
  const head = fittedHead(model);
  const { current } = model;
  const raw = await toRawImage(image, current.processor.decodeOptions("standard"));
  if (!(image instanceof Blob)) image.close();
  const features = await current.features([raw]);
  return head.predict(features, {
    topK: head.labels.length,
    unknown: head.parameters.settings.unknown !== undefined,
  })[0]!;
};
