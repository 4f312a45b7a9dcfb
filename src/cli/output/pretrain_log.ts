import type { PretrainRecord } from "../../train/msn/pretrain_events.ts";
import { jsonNumber } from "./json_number.ts";

/**
 * Formats a record of a pre-training as JSON, for a line of a log. Figures that the record lacks, such as the
 * loss before the first step, are absent; figures that are not finite are null.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pretrainRecordJson } from "./pretrain_log.ts";
 *
 * const record = {
 *   epoch: 1,
 *   epochs: 20,
 *   step: 60,
 *   images: 3840,
 *   loss: NaN,
 *   knnAccuracy: 0.612,
 *   guessing: 0.1,
 *   effectiveRank: 32.1,
 *   largestRank: 191,
 *   featureSimilarity: 0.48,
 *   seconds: 8.1,
 * };
 * assertEquals(pretrainRecordJson(record), {
 *   epoch: 1,
 *   epochs: 20,
 *   step: 60,
 *   images: 3840,
 *   loss: null,
 *   knn_accuracy: 0.612,
 *   guessing: 0.1,
 *   effective_rank: 32.1,
 *   largest_rank: 191,
 *   feature_similarity: 0.48,
 *   seconds: 8.1,
 * });
 * ```
 */
export function pretrainRecordJson(record: PretrainRecord): Record<string, unknown> {
  // The log knows its lines by the epoch, which is the first.
  const figures = {
    epoch: record.epoch,
    epochs: record.epochs,
    step: record.step,
    images: record.images,
    loss: record.loss,
    cross_entropy: record.crossEntropy,
    me_max: record.meMax,
    entropy: record.entropy,
    knn_accuracy: record.knnAccuracy,
    guessing: record.guessing,
    effective_rank: record.effectiveRank,
    largest_rank: record.largestRank,
    feature_similarity: record.featureSimilarity,
    prototypes_in_use: record.prototypesInUse,
    prototypes: record.prototypes,
    target_entropy: record.targetEntropy,
    mean_target_probability: record.meanTargetProbability,
    learning_rate: record.learningRate,
    weight_decay: record.weightDecay,
    momentum: record.momentum,
    gradient_norm: record.gradientNorm,
    images_per_s: record.imagesPerSecond,
    seconds: record.seconds,
    alarm: record.alarm,
  };
  return Object.fromEntries(
    Object.entries(figures)
      .filter(([_, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === "number" ? jsonNumber(value) : value]),
  );
}
