import { OnnxruntimeSession } from "./onnxruntime_session.ts";
import type { NamedTensors, Runtime, Session } from "./runtime.ts";

/**
 * onnxruntime-web on WebGPU. All calls to it, of all models, are done one after the other: it fails or
 * hangs when two are under way. Models of `int8` run in part on the processor; `f32` and `f16` are
 * what it is for.
 */
export const onnxruntimeWebgpu: Runtime = {
  async createSession(model: Uint8Array): Promise<Session> {
    await assertAdapter();
    const ort = await import("onnxruntime-web/jspi");
    if (!ort.env.wasm.wasmBinary) {
      const { default: wasm } = await import(
        "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm",
        { with: { type: "bytes" } }
      );
      ort.env.wasm.wasmBinary = wasm;
      ort.env.wasm.numThreads = 1;
    }
    return await inTurn(async () =>
      new SerialSession(
        new OnnxruntimeSession(
          ort,
          await ort.InferenceSession.create(model, {
            executionProviders: ["webgpu"],
            logSeverityLevel: 4, // what is wrong comes as an exception
          }),
        ),
      )
    );
  },
};

/** @throws {Error} if there is no WebGPU, or no adapter. */
async function assertAdapter(): Promise<void> {
  if (await navigator.gpu?.requestAdapter()) return;
  throw new Error(
    "Cannot run the model on WebGPU: this machine has no adapter for it; leave --backend out",
  );
}

let last: Promise<unknown> = Promise.resolve();

/** Does work when all that was begun before is done. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

/** A session whose calls wait for those of all others. */
class SerialSession implements Session {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  run(inputs: NamedTensors, outputs: readonly string[]): Promise<NamedTensors> {
    return inTurn(() => this.#session.run(inputs, outputs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return inTurn(async () => await this.#session[Symbol.asyncDispose]());
  }
}
