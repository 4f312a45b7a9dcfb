/// <reference lib="dom" />
import { writeModelWithHead } from "../../../mod.ts";
import type { Handler } from "../handlers.ts";
import { fittedHead, modelFile } from "./fitted.ts";

/** Writes the model with the fitted classifier. */
export const writeModel: Handler<"writeModel"> = (_, { model }) =>
  Promise.resolve(
    new Blob(
      writeModelWithHead(modelFile(model), fittedHead(model).parameters) as Uint8Array<
        ArrayBuffer
      >[],
    ),
  );
