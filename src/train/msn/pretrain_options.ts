import type { SimdBuild } from "../../runtime/simd/kernels.ts";
import type { CreateWorker } from "../../runtime/simd/thread_pool.ts";
import type { MsnConfig } from "./msn_settings.ts";
import type { PretrainStart } from "./start_networks.ts";

/** How {@linkcode pretrain} trains. */
export interface PretrainOptions {
  /** The knobs of the authors' configuration; default those that suit the number of images and the model. */
  readonly config?: MsnConfig;
  /** Whether the model's weights are made anew; default no. */
  readonly isFromScratch?: boolean;
  /** Weights to go on from, in place of the model's. */
  readonly start?: PretrainStart;
  /** The seed of all random choices; default 0. */
  readonly seed?: number;
  /** Default 1; one, too, where threads cannot share memory. The result depends on it in its last bits. */
  readonly threads?: number;
  /** When to end early, in seconds; the schedules are not shortened. */
  readonly timeLimit?: number;
  /** Images from one record to the next; default a twentieth of all, but an epoch or more, and at most 10,000. */
  readonly recordEvery?: number;
  /** Which kernels; default the fastest that the host can run. */
  readonly build?: SimdBuild;
  /** Starts a worker that runs `train/engine/worker.ts`; for bundles, in which that module is elsewhere. */
  readonly createWorker?: CreateWorker;
}

/** @throws {RangeError} if an option is out of its range; the message names it. */
export function checkPretrainOptions(options: PretrainOptions): void {
  const check = (name: "seed" | "threads" | "timeLimit" | "recordEvery", least: number) => {
    const value = options[name];
    const isWhole = name === "timeLimit" || Number.isSafeInteger(value);
    if (value === undefined || isWhole && value >= least) return;
    throw new RangeError(`Cannot pre-train: ${name} is ${value}, not a number from ${least} on`);
  };
  check("seed", 0);
  check("threads", 1);
  check("timeLimit", 0);
  check("recordEvery", 1);
}
