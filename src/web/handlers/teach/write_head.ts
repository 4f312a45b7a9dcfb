/// <reference lib="dom" />
import { writeHeadFile } from "../../../mod.ts";
import type { Handler } from "../handlers.ts";
import { fittedHead, modelFile } from "./fitted.ts";

/** Writes the fitted classifier alone. The model has a layerNorm: a head is fitted on features, which need it. */
export const writeHead: Handler<"writeHead"> = (_, { model }) => {
  const { layerNorm } = modelFile(model);
  const head = fittedHead(model).parameters;
  const pieces = writeHeadFile({ head, layerNorm: layerNorm! }) as Uint8Array<ArrayBuffer>[];
  return Promise.resolve(new Blob(pieces));
};
