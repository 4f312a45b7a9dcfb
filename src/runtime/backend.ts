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
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "../model/load_model.ts";
 * import { runtimeOf } from "./backend.ts";
 *
 * const bytes = await Deno.readFile("functions/_shared/model.onnx");
 * await using model = await loadModel(bytes, { runtime: runtimeOf("simd", { threads: 1 }) });
 * assertEquals(model.concurrency, 1);
 * ```
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
