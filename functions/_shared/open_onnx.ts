// A separate file in bundles, read only for models in ONNX; a packed model does not need it.

import { autoRuntime } from "../../src/runtime/auto.ts";
import { ortOfBytes } from "../../src/runtime/onnxruntime/ort_of_bytes.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";
import type { OpenOnnx } from "./open_model.ts";

/**
 * Opens a model's ONNX file.
 *
 * @throws {SyntaxError} if the bytes are not such a file.
 * @throws {TypeError} if a config in it cannot be used, or contradicts the graph.
 */
export const openOnnx: OpenOnnx = async (bytes) => {
  const file = readModelFile(bytes);
  return { description: file, session: await autoRuntime({ ort: ortOfBytes }).createSession(file) };
};
