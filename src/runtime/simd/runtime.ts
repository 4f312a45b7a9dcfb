import { canShareMemory } from "../../host/can_share_memory.ts";
import type { Runtime } from "../runtime.ts";
import { bestBuild, type DotProduct, type SimdBuild } from "./kernels.ts";
import { packModel } from "./packed_model.ts";
import { SimdSession } from "./session.ts";
import type { CreateWorker } from "./thread_pool.ts";

/** How {@linkcode simdRuntime} works. */
export interface SimdOptions {
  /**
   * How many threads compute; default 1, which needs no worker and blocks the event loop while it runs.
   * Of a batch with at least as many images, each thread takes images of its own; those that are left
   * over, or alone, they share. Workers wait between runs, and keep the process alive until the model is
   * disposed of. Where threads cannot share memory, one computes: in a page that is not isolated from
   * other origins (`crossOriginIsolated`), and on a host without workers. The model's `concurrency` says
   * how many there are.
   */
  readonly threads?: number;
  /**
   * Which kernels: `relaxed` (relaxed SIMD: fused multiply-add, 8-bit dot product) or `plain`, slower,
   * with the same bits on every processor; a model of int8 has these with both. Default is the fastest that
   * the host can run.
   */
  readonly build?: SimdBuild;
  /**
   * How the relaxed build multiplies 8-bit numbers; default `auto`, by what the processor has. The others
   * are for comparisons: the outputs have the same bits.
   */
  readonly dotProduct?: DotProduct;
  /** Starts a worker that runs `simd/worker.ts`; for bundles, in which that module is elsewhere. */
  readonly createWorker?: CreateWorker;
}

/** The most threads; beyond, the tokens of an image are too few to share. */
export const MAX_THREADS = 64;

/**
 * This project's own engine: ViT-MSN's forward in WebAssembly SIMD kernels, for the ONNX files that it
 * writes. Of these it computes every variant at no further cost.
 *
 * @throws {RangeError} if `threads` is no integer from 1 to 64.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "../../model/load_model.ts";
 * import { simdRuntime } from "./runtime.ts";
 *
 * const bytes = await Deno.readFile("functions/_shared/model.onnx");
 * await using model = await loadModel(bytes, { runtime: simdRuntime({ build: "plain" }) });
 * assertEquals(model.config.hiddenSize, 192);
 * ```
 */
export function simdRuntime(
  { threads = 1, build = bestBuild(), dotProduct = "auto", createWorker }: SimdOptions = {},
): Runtime {
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new RangeError(
      `Cannot run a model in ${threads} threads: it takes from 1 to ${MAX_THREADS}`,
    );
  }
  return {
    async createSession(file) {
      if ("reason" in file.own) {
        throw new TypeError(
          `Cannot use the ONNX model: ${file.own.reason}; onnxruntime-web can run it, by autoRuntime()`,
        );
      }
      const { weights } = file.own;
      return await SimdSession.start(
        file.config,
        (arena, kernels) => packModel(file.config, weights, arena, kernels),
        { build, dotProduct, threads: canShareMemory() ? threads : 1, createWorker },
      );
    },
  };
}
