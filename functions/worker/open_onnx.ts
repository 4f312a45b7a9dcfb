// A chunk of its own, read only for models in ONNX.

import type { OpenOnnx } from "../_shared/open_model.ts";
import { simdRuntime } from "../../src/runtime/simd/runtime.ts";
import { readModelFile } from "../../src/vit_msn/model_file.ts";

/**
 * Opens a model's ONNX file with this project's own engine: onnxruntime-web compiles its WebAssembly when it
 * runs, which a Worker may not.
 *
 * @throws {SyntaxError} if the bytes are not such a file.
 * @throws {TypeError} if another tool made it.
 */
export const openOnnx: OpenOnnx = async (bytes) => {
  const file = readModelFile(bytes);
  return { description: file, session: await simdRuntime().createSession(file) };
};
