import { percent } from "../../heads/evaluate/percent.ts";
import type { PretrainRecord, PretrainResult } from "../../train/msn/pretrain_events.ts";
import { commandLine } from "./command_line.ts";
import { lossText } from "./loss_text.ts";
import { pretrainRecordJson } from "./pretrain_log.ts";
import { printable } from "./printable.ts";

/** Formats the figures of a record as one line. */
export function recordText(record: PretrainRecord): string {
  const { images, loss, knnAccuracy, guessing, effectiveRank, largestRank } = record;
  const parts = [
    ...(loss === undefined ? [] : [`loss ${lossText(loss)}`]),
    ...(knnAccuracy === undefined
      ? []
      : [`nearest neighbours ${percent(knnAccuracy)} (guessing ${percent(guessing!)})`]),
    `effective rank ${effectiveRank.toFixed(1)} of ${largestRank}`,
    ...(record.prototypesInUse === undefined
      ? []
      : [`${record.prototypesInUse} of ${record.prototypes} prototypes in use`]),
    ...(record.targetEntropy === undefined
      ? []
      : [`target entropy ${record.targetEntropy.toFixed(2)}`]),
  ];
  return `${images} photos seen: ${parts.join(", ")}`;
}

/** Formats the result of pre-training as lines of text. */
export function pretrainText({ records }: PretrainResult, out: string): string {
  const [first, last] = [records[0]!, records.at(-1)!];
  const lines = [
    `${last.images} photos seen in ${last.step} ${last.step === 1 ? "step" : "steps"}.`,
    ...(last.knnAccuracy === undefined ? [] : [
      `Nearest neighbours: ${percent(last.knnAccuracy)} right, ` +
      `${percent(first.knnAccuracy!)} before.`,
    ]),
    `Effective rank: ${last.effectiveRank.toFixed(1)}, ${first.effectiveRank.toFixed(1)} before.`,
    ...(last.alarm === undefined ? [] : [`${last.alarm}.`]),
    `${printable(out)}: deno task fit PHOTOS --model ${commandLine([out])} --out my.onnx`,
  ];
  return lines.join("\n") + "\n";
}

/** Formats the result of pre-training as JSON. */
export function pretrainJson(
  { settings, records, stopped }: PretrainResult,
): Record<string, unknown> {
  return {
    ...(stopped === undefined ? {} : { stopped }),
    settings,
    records: records.map(pretrainRecordJson),
  };
}
