import { BACKENDS, runtimeOf } from "../runtime/backend.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { MAX_THREADS } from "../runtime/simd/runtime.ts";
import {
  choiceOption,
  numberOption,
  type Options,
  type OptionValues,
  UsageError,
} from "./command.ts";

/** The options of every command that runs a model. */
export const RUNTIME_OPTIONS = {
  backend: {
    value: "NAME",
    help: "auto: simd for the files of `deno task convert`, else wasm (default); simd: this " +
      "project's own engine; wasm, webgpu: onnxruntime-web on the processor, on a graphics card",
  },
  threads: { value: "N", help: "Share the work of each image among N threads (simd); default 1" },
} as const satisfies Options;

/** The engine that `--backend` and `--threads` ask for. */
export function runtimeOption(values: OptionValues<typeof RUNTIME_OPTIONS>): Runtime {
  const backend = choiceOption("backend", values.backend, BACKENDS);
  const threads = numberOption("threads", values.threads, {
    otherwise: 1,
    min: 1,
    max: MAX_THREADS,
    integer: true,
  });
  if (threads > 1 && (backend === "wasm" || backend === "webgpu")) {
    throw new UsageError(`--threads is ${threads}, but --backend ${backend} runs in one thread`);
  }
  return runtimeOf(backend, { threads });
}
