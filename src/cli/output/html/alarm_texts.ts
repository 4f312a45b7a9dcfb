import type { PretrainRecord } from "../../../train/msn/pretrain_events.ts";
import { BY_IMAGES } from "./position.ts";

/** Alarms that differ in their figures alone are the same alarm. */
const FIGURE = /\d+(\.\d+)?(e[+-]?\d+)?/g;

/**
 * The alarms of a pre-training as sentences, each with the step where it was raised first.
 *
 * @param records in the order of their steps.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { alarmTexts } from "./alarm_texts.ts";
 *
 * const record = { epoch: 1, epochs: 9, seconds: 1, effectiveRank: 3, largestRank: 9, featureSimilarity: 0 };
 * const records = [5, 6].map((step) => ({ ...record, step, images: 64 * step, alarm: `rank ${9 - step}` }));
 * assertEquals(alarmTexts(records), [
 *   "At step 5 (320 images): rank 4; again in 1 later record, the last of step 6",
 * ]);
 * ```
 */
export function alarmTexts(records: readonly PretrainRecord[]): string[] {
  const raised = records.filter(({ alarm }) => alarm !== undefined);
  const groups = Map.groupBy(raised, ({ alarm }) => alarm!.replace(FIGURE, "0"));
  return [...groups.values()].map(([first, ...later]) => {
    const { step, images, alarm } = first!;
    const text = `At step ${step} (${BY_IMAGES.name(images)}): ${alarm}`;
    if (later.length === 0) return text;
    const plural = later.length === 1 ? "" : "s";
    return `${text}; again in ${later.length} later record${plural}, the last of step ${
      later.at(-1)!.step
    }`;
  });
}
