import { onnxruntimeWasm } from "./onnxruntime_wasm.ts";
import { onnxruntimeWebgpu } from "./webgpu/runtime.ts";
import type { Runtime } from "./runtime.ts";
import { type SimdOptions, simdRuntime } from "./simd/runtime.ts";

/** The engines by the names that the command line has for them. */
export const BACKENDS = ["auto", "simd", "wasm", "webgpu"] as const;

/**
 * `auto`, or an engine: `simd`, this project's own; `wasm` and `webgpu`, onnxruntime-web on WebAssembly
 * and on a graphics card.
 */
export type Backend = typeof BACKENDS[number];

/** How {@linkcode autoRuntime} works. */
export interface AutoOptions extends SimdOptions {
  /**
   * Whether a file that only onnxruntime-web can run may have its one thread, though `threads` is more;
   * default no: it is an error.
   */
  readonly oneThreadWillDo?: boolean;
}

/**
 * An engine by its name.
 *
 * @param options of {@linkcode autoRuntime} and {@linkcode simdRuntime}; onnxruntime-web has none.
 * @throws {RangeError} if an option is out of range.
 */
export function runtimeOf(backend: Backend, options: AutoOptions = {}): Runtime {
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
export function autoRuntime(
  { oneThreadWillDo = false, ...options }: AutoOptions = {},
): Runtime {
  const simd = simdRuntime(options);
  return {
    async createSession(model) {
      try {
        return await simd.createSession(model);
      } catch (error) {
        // It is what `readOwnModel` throws for a graph that is not this project's.
        if (!(error instanceof TypeError)) throw error;
        if (!oneThreadWillDo && options.threads !== undefined && options.threads > 1) {
          throw new TypeError(`${error.message}; onnxruntime-web, which could, runs in one thread`);
        }
        return await onnxruntimeWasm.createSession(model);
      }
    },
  };
}
