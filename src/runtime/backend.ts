import { onnxruntimeWasm } from "./onnxruntime_wasm.ts";
import { onnxruntimeWebgpu } from "./onnxruntime_webgpu.ts";
import type { Runtime } from "./runtime.ts";
import { type SimdOptions, simdRuntime } from "./simd/runtime.ts";

/** The engines by the names that the command line has for them. */
export const BACKENDS = ["auto", "simd", "wasm", "webgpu"] as const;

/**
 * `auto`, or an engine: `simd`, this project's own; `wasm` and `webgpu`, onnxruntime-web on WebAssembly
 * and on a graphics card.
 */
export type Backend = typeof BACKENDS[number];

/**
 * An engine by its name.
 *
 * @param options of {@linkcode simdRuntime}; onnxruntime-web has none.
 * @throws {RangeError} if an option is out of range.
 */
export function runtimeOf(backend: Backend, options: SimdOptions = {}): Runtime {
  switch (backend) {
    case "auto":
      return autoRuntime(options);
    case "simd":
      return simdRuntime(options);
    case "wasm":
      return onnxruntimeWasm;
    case "webgpu":
      return onnxruntimeWebgpu;
  }
}

/**
 * This project's own engine for the files that `deno task convert` writes, and onnxruntime-web for all
 * others.
 *
 * @throws {RangeError} if an option is out of range.
 */
export function autoRuntime(options: SimdOptions = {}): Runtime {
  const simd = simdRuntime(options);
  return {
    async createSession(model) {
      try {
        return await simd.createSession(model);
      } catch (error) {
        // It is what `readOwnModel` throws for a graph that is not this project's.
        if (!(error instanceof TypeError)) throw error;
        if (options.threads !== undefined && options.threads > 1) {
          throw new TypeError(`${error.message}; onnxruntime-web, which could, runs in one thread`);
        }
        return await onnxruntimeWasm.createSession(model);
      }
    },
  };
}
