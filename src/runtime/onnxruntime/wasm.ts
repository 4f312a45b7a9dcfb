import type { GraphBounds } from "../../onnx/graph_bounds.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import { VariantSession } from "./variant_session.ts";
import { OnnxruntimeSession } from "./session.ts";
import type { Runtime, Session } from "../runtime.ts";

/** onnxruntime-web on WebAssembly SIMD, one thread. It blocks the event loop while it runs. */
export const onnxruntimeWasm: Runtime = {
  createSession: (file: ModelFile): Promise<Session> =>
    VariantSession.create(file, createWasmSession),
};

/**
 * Makes a session of one graph.
 *
 * @param model an ONNX file.
 * @param bounds of its graph.
 */
export async function createWasmSession(model: Uint8Array, bounds: GraphBounds): Promise<Session> {
  const ort = await import("onnxruntime-web/wasm");
  if (!ort.env.wasm.wasmBinary) {
    const { default: wasm } = await import(
      "onnxruntime-web/ort-wasm-simd-threaded.wasm",
      { with: { type: "bytes" } }
    );
    ort.env.wasm.wasmBinary = wasm;
    ort.env.wasm.numThreads = 1;
  }
  return new OnnxruntimeSession(
    ort,
    await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
      logSeverityLevel: 4, // what is wrong comes as an exception
      // Without a second, reordered copy of the weights: less memory at the same speed.
      extra: { session: { disable_prepacking: "1" } },
    }),
    bounds,
  );
}
