import * as ort from "onnxruntime-web/wasm";
import { type DataArray, type DataType, type Tensor } from "../tensor/tensor.ts";
import type { NamedTensors, Runtime, Session } from "./runtime.ts";

/** onnxruntime-web on WebAssembly SIMD, one thread. It blocks the event loop while it runs. */
export const onnxruntimeWasm: Runtime = {
  async createSession(model: Uint8Array): Promise<Session> {
    if (!ort.env.wasm.wasmBinary) {
      const { default: wasm } = await import(
        "onnxruntime-web/ort-wasm-simd-threaded.wasm",
        { with: { type: "bytes" } }
      );
      ort.env.wasm.wasmBinary = wasm;
      ort.env.wasm.numThreads = 1;
    }
    return new OnnxruntimeSession(
      await ort.InferenceSession.create(model, {
        executionProviders: ["wasm"],
        logSeverityLevel: 4, // what is wrong comes as an exception
        // Without a second, reordered copy of the weights: less memory at the same speed.
        extra: { session: { disable_prepacking: "1" } },
      }),
    );
  },
};

class OnnxruntimeSession implements Session {
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  async run(inputs: NamedTensors, outputs: readonly string[]): Promise<NamedTensors> {
    const feeds = Object.fromEntries(
      [...inputs].map(([name, { dtype, data, shape }]) => [
        name,
        new ort.Tensor(dtype as ort.Tensor.Type, data as ort.Tensor.DataType, shape),
      ]),
    );
    const results = await this.#session.run(feeds, outputs, { logSeverityLevel: 4 });
    return new Map(outputs.map((name) => [name, fromOrt(results[name]!)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

function fromOrt({ type, dims, data }: ort.Tensor): Tensor {
  return { dtype: type as DataType, shape: dims, data: data as DataArray[DataType] };
}
