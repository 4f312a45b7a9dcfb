import { BACKENDS, runtimeOf } from "../../runtime/backend.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { MAX_THREADS } from "../../runtime/simd/runtime.ts";
import { webgpuAdapter } from "../../runtime/onnxruntime/webgpu/adapter.ts";
import {
  choiceOption,
  numberOption,
  type Options,
  type OptionValues,
  UsageError,
} from "../command.ts";
import { printable } from "../output/printable.ts";
import type { Terminal } from "../output/terminal.ts";

/** The options of every command that runs a model. */
export const RUNTIME_OPTIONS = {
  backend: {
    value: "NAME",
    help:
      "auto: simd for the files of `deno task convert`, or a graphics card where it is faster; " +
      "else wasm (default); simd: this project's own engine; wasm, webgpu: onnxruntime-web on the " +
      "processor, on a graphics card",
  },
  threads: {
    value: "N",
    help: "Compute in N threads (simd): of several images each takes its own, a single one they " +
      "share; default 1",
  },
} as const satisfies Options;

/** The options of commands that run many images; they go behind {@linkcode RUNTIME_OPTIONS}. */
export const JOBS_OPTION = {
  threads: {
    ...RUNTIME_OPTIONS.threads,
    help: `${RUNTIME_OPTIONS.threads.help}, or what --jobs says`,
  },
  jobs: {
    value: "N",
    help: "Decode N images at a time and hand the model several at once, on N threads (simd) " +
      "unless --threads says otherwise; default 1",
  },
} as const satisfies Options;

/**
 * How many images `--jobs` has decoded at a time.
 *
 * @throws {UsageError} if it is no integer from 1 to 64.
 */
export function jobsOption({ jobs }: { readonly jobs?: string | undefined }): number {
  return numberOption("jobs", jobs, { otherwise: 1, min: 1, max: MAX_THREADS, integer: true });
}

/**
 * The engine that `--backend`, `--threads` and `--jobs` ask for. It has as many threads as jobs, unless
 * `--threads` says otherwise.
 *
 * @param terminal gets to know which graphics card it is.
 * @param otherwise threads without any of these options, of an engine that can have several; default 1.
 * @throws {UsageError} if a value makes no sense, or the engine cannot run in so many threads.
 */
export function runtimeOption(
  values: OptionValues<typeof RUNTIME_OPTIONS> & Parameters<typeof jobsOption>[0],
  terminal: Terminal,
  otherwise = 1,
): Runtime {
  const backend = choiceOption("backend", values.backend, BACKENDS);
  const isSimd = backend === "auto" || backend === "simd";
  const jobs = jobsOption(values);
  const byDefault = values.jobs !== undefined ? jobs : isSimd ? otherwise : 1;
  const threads = numberOption("threads", values.threads, {
    // A graphics card takes jobs as one batch.
    otherwise: backend === "webgpu" ? 1 : byDefault,
    min: 1,
    max: MAX_THREADS,
    integer: true,
  });
  if (threads > 1 && (backend === "wasm" || backend === "webgpu")) {
    const option = values.threads === undefined ? "jobs" : "threads";
    throw new UsageError(`--${option} is ${threads}, but --backend ${backend} runs in one thread`);
  }
  const allowSingleThread = values.threads === undefined && values.jobs === undefined;
  const runtime = runtimeOf(backend, { threads, allowSingleThread });
  return backend === "webgpu" ? reportingAdapter(runtime, terminal) : runtime;
}

/** Says which graphics card a model runs on, once it does. */
function reportingAdapter(runtime: Runtime, { stderr }: Terminal): Runtime {
  return {
    async createSession(file) {
      const session = await runtime.createSession(file);
      const adapter = await webgpuAdapter();
      if (adapter) {
        const { description, isSoftware, hasFloat16, maxBufferBytes } = adapter;
        stderr.write(
          `webgpu: ${printable(description)}${isSoftware ? ", in software" : ""}; tensors up to ` +
            `${Math.floor(maxBufferBytes / 1e6)} MB${hasFloat16 ? ", half precision" : ""}\n`,
        );
      }
      return session;
    },
  };
}
