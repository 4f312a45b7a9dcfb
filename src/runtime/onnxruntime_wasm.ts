import type { ViTMSNConfig } from "../vit_msn/config.ts";
import { checkGraph } from "./onnxruntime_graph.ts";
import { OnnxruntimeSession } from "./onnxruntime_session.ts";
import type { Runtime, Session } from "./runtime.ts";

/** onnxruntime-web on WebAssembly SIMD, one thread. It blocks the event loop while it runs. */
export const onnxruntimeWasm: Runtime = {
  async createSession(model: Uint8Array, config?: ViTMSNConfig): Promise<Session> {
    const bounds = checkGraph(model, config);
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
  },
};
