import type { SimdBuild } from "../../runtime/simd/kernels.ts";
import type { CreateWorker } from "../../runtime/simd/thread_pool.ts";
import type { TuneMode } from "../tune.ts";

/** How a {@linkcode TrainingEngine} works. */
export interface EngineOptions {
  readonly tune: TuneMode;
  /** The most images of a batch. */
  readonly batchSize: number;
  /** H and W of the images; default the config's. Position embeddings are interpolated for others. */
  readonly imageSize?: readonly [height: number, width: number];
  /** Patches of an image that go on in training; default all. */
  readonly keptPatches?: number;
  /** Whether batches may have masked patches. */
  readonly masks?: boolean;
  /** Whether batches begin at the inputs of the lowest block that learns, not at pixels. */
  readonly fromInputs?: boolean;
  /** Whether a moving average of the parameters is kept. */
  readonly keepsAverage?: boolean;
  /** Default 1. */
  readonly threads?: number;
  /** Whether a single thread is a worker, too, so that the caller's thread stays free. */
  readonly offThread?: boolean;
  readonly build?: SimdBuild;
  readonly createWorker?: CreateWorker | undefined;
}
