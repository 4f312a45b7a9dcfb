import type { SimdBuild } from "../../../runtime/simd/kernels.ts";
import type { CreateWorker } from "../../../runtime/simd/thread_pool.ts";

/** How an engine of MSN works. */
export interface MsnEngineOptions {
  /** B, the images of every step: BatchNorm's statistics cover them all. */
  readonly batchSize: number;
  readonly randomViews: number;
  readonly focalViews: number;
  /** H and W of random views and targets, and of focal views. */
  readonly randomSize: readonly [height: number, width: number];
  readonly focalSize: readonly [height: number, width: number];
  /** Patches of a random anchor that go on. */
  readonly keptPatches: number;
  /** Whether BatchNorm is in the head. */
  readonly usesBatchNorm: boolean;
  /** Default 1. */
  readonly threads?: number;
  readonly build?: SimdBuild;
  readonly createWorker?: CreateWorker | undefined;
}
