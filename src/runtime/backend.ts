import { type AutoOptions, autoRuntime } from "./auto.ts";
import { onnxruntimeWasm } from "./onnxruntime/wasm.ts";
import { onnxruntimeWebgpu } from "./onnxruntime/webgpu/runtime.ts";
import type { Runtime } from "./runtime.ts";
import { simdRuntime } from "./simd/runtime.ts";

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
 * @param options of {@linkcode autoRuntime} and {@linkcode simdRuntime}; onnxruntime-web takes `ort` alone.
 * @throws {RangeError} if an option is out of range.
 */
export function runtimeOf(backend: Backend, options: AutoOptions = {}): Runtime {
  switch (backend) {
    case "auto":
      return autoRuntime(options);
    case "simd":
      return simdRuntime(options);
    case "wasm":
      return onnxruntimeWasm(options.ort);
    case "webgpu":
      return onnxruntimeWebgpu(options.ort);
  }
}
