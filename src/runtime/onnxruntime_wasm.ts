import type * as Ort from "onnxruntime-web/wasm";
import { type DataArray, type DataType, type Tensor } from "../tensor/tensor.ts";
import type { NamedTensors, Runtime, Session } from "./runtime.ts";

/** onnxruntime-web on WebAssembly SIMD, one thread. It blocks the event loop while it runs. */
export const onnxruntimeWasm: Runtime = {
  async createSession(model: Uint8Array): Promise<Session> {
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
    );
  },
};

class OnnxruntimeSession implements Session {
  readonly #ort: typeof Ort;
  readonly #session: Ort.InferenceSession;

  constructor(ort: typeof Ort, session: Ort.InferenceSession) {
    this.#ort = ort;
    this.#session = session;
  }

  async run(inputs: NamedTensors, outputs: readonly string[]): Promise<NamedTensors> {
    const feeds = Object.fromEntries(
      [...inputs].map(([name, { dtype, data, shape }]) => [
        name,
        new this.#ort.Tensor(dtype as Ort.Tensor.Type, data as Ort.Tensor.DataType, shape),
      ]),
    );
    const results = await this.#session.run(feeds, outputs, { logSeverityLevel: 4 });
    return new Map(outputs.map((name) => [name, fromOrt(results[name]!)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

function fromOrt({ type, dims, data }: Ort.Tensor): Tensor {
  return { dtype: type as DataType, shape: dims, data: data as DataArray[DataType] };
}
