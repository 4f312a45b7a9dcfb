import type { MsnSettings } from "./msn_settings.ts";

/** All schedules are planned for more steps than there are and cut off, as the authors have them. */
const STRETCH = 1.25;

/** What changes from step to step. */
export interface MsnSchedule {
  /** Of the encoder, the head and the prototypes. */
  readonly learningRate: number;
  /** Of the weights that are decayed. */
  readonly weightDecay: number;
  /** m, the share of the target network that stays: target ← m target + (1 - m) encoder. */
  readonly momentum: number;
  /** T: targets are raised to the power 1/T. */
  readonly sharpen: number;
}

/**
 * The schedules of MSN at step i, as in `src/utils.py` and `src/msn_train.py` of facebookresearch/msn:
 *
 *     W = ⌊warmup · iterations⌋, S = 1.25 · epochs · iterations, M = ⌊S⌋
 *     learning rate: i < W: start + i/W (peak - start)
 *                    else:  final + (peak - final)/2 · (1 + cos π (i - W)/(M - W))
 *     weight decay:  final + (start - final)/2 · (1 + cos π i/M)
 *     momentum and sharpening: start + (final - start) · (i - 1)/S
 *
 * Training ends at step epochs · iterations, 0.8 S, so that final values are approached but not reached.
 *
 * @param step i, from 1 to epochs · iterations.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { decideMsnSettings } from "./msn_settings.ts";
 * import { scheduleAt } from "./schedules.ts";
 *
 * const config = { optimization: { epochs: 800, warmup: 15, start_momentum: 0.996 } };
 * const context = { images: 640, imageSize: 224, patchSize: 16, hiddenSize: 384, isFromScratch: true };
 * const settings = decideMsnSettings(config, context);
 * assertAlmostEquals(scheduleAt(150, settings, 10).learningRate, 1e-3);
 * assertAlmostEquals(scheduleAt(8000, settings, 10).momentum, 0.9992, 1e-6);
 * ```
 */
export function scheduleAt(
  step: number,
  { criterion, optimization }: {
    readonly criterion: Pick<MsnSettings["criterion"], "start_sharpen" | "final_sharpen">;
    readonly optimization: Omit<MsnSettings["optimization"], "clip_grad">;
  },
  iterationsPerEpoch: number,
): MsnSchedule {
  const { epochs, warmup, start_lr, lr, final_lr } = optimization;
  const W = Math.floor(warmup * iterationsPerEpoch);
  const S = STRETCH * epochs * iterationsPerEpoch;
  const M = Math.floor(S);
  // A warm-up that is as long as the training, or longer, can leave nothing after it.
  const progress = (step - W) / Math.max(1, M - W);
  const linear = (start: number, final: number) => start + (final - start) * (step - 1) / S;
  return {
    learningRate: step < W ? start_lr + step / W * (lr - start_lr) : cosine(lr, final_lr, progress),
    weightDecay: cosine(optimization.weight_decay, optimization.final_weight_decay, step / M),
    momentum: linear(optimization.start_momentum, optimization.final_momentum),
    sharpen: linear(criterion.start_sharpen, criterion.final_sharpen),
  };
}

/** Half a cosine from `start` at 0 to `final` at 1. */
function cosine(start: number, final: number, progress: number): number {
  return final + (start - final) / 2 * (1 + Math.cos(Math.PI * progress));
}
