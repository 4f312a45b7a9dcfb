import { BACKENDS, runtimeOf } from "../../runtime/backend.ts";
import { ortOfBytes } from "../../runtime/onnxruntime/ort_of_bytes.ts";
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
      "auto (default): simd for files made by `deno task convert`, or a GPU where it is faster; " +
      "else wasm; simd: this project's own engine; wasm, webgpu: onnxruntime-web on the " +
      "CPU, on the GPU",
  },
  threads: {
    value: "N",
    help: "Compute in N threads (simd): one per image, or all on a single image; " +
      "default 1",
  },
} as const satisfies Options;

/** The options of commands that run many images; spread after {@linkcode RUNTIME_OPTIONS}, whose `threads` they override. */
export const JOBS_OPTION = {
  threads: {
    ...RUNTIME_OPTIONS.threads,
    help: `${RUNTIME_OPTIONS.threads.help}, or the value of --jobs`,
  },
  jobs: {
    value: "N",
    help: "Decode N images at a time and compute them in batches, in N threads (simd) " +
      "unless --threads is given; default 1",
  },
} as const satisfies Options;

/**
 * Parses `--jobs`, the number of images to decode at a time.
 *
 * @throws {UsageError} if it is not an integer from 1 to 64.
 */
export function jobsOption({ jobs }: { readonly jobs?: string | undefined }): number {
  return numberOption("jobs", jobs, { otherwise: 1, min: 1, max: MAX_THREADS, integer: true });
}

/**
 * The engine that `--backend`, `--threads` and `--jobs` select. The default number of threads is the
 * number of jobs.
 *
 * @param terminal receives the name of the GPU that runs the model.
 * @param otherwise the number of threads of a multi-threaded engine if neither `--threads` nor `--jobs` is
 * given; default 1.
 * @throws {UsageError} if a value is invalid, or the engine does not support that many threads.
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
    // A GPU computes all jobs as one batch.
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
  const runtime = runtimeOf(backend, { threads, allowSingleThread, ort: ortOfBytes });
  return backend === "webgpu" ? reportingAdapter(runtime, terminal) : runtime;
}

/** Reports the GPU on stderr once a session exists. */
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
