import { percent } from "../../heads/evaluate/percent.ts";
import type { FinetuneResult } from "../../train/finetune/finetune_events.ts";
import type { FinetuneRecord } from "../../train/finetune/training_record.ts";
import { tuneText } from "../../train/finetune/tune_text.ts";
import { commandLine } from "./command_line.ts";
import { evaluationJson } from "./evaluation_text.ts";
import { printable } from "./printable.ts";
import { recordJson } from "./training_log.ts";

/** Formats a finished epoch as one line. */
export function epochText(
  { epoch, epochs, loss, imagesPerSecond, validation, averaged }: FinetuneRecord,
): string {
  const accuracy = validation &&
    Math.max(validation.accuracy, averaged?.accuracy ?? validation.accuracy);
  return `epoch ${epoch}/${epochs}: loss ${loss.toFixed(3)}, ${
    imagesPerSecond.toFixed(0)
  } images/s` +
    (accuracy === undefined ? "" : `, held-out ${percent(accuracy)}`);
}

/** Formats the result of fine-tuning as lines of text. */
export function finetuneText(
  { tune, heldOut, bestEpoch, head }: FinetuneResult,
  out: string,
): string {
  const { labels, temperature, calibrated, unknown } = head.parameters.settings;
  const lines = [
    `${labels.length} classes; tuned ${tuneText(tune)}${
      bestEpoch === undefined ? "" : `, weights of epoch ${bestEpoch}`
    }.`,
    ...(heldOut
      ? [
        `Right of ${heldOut.images} held-out photos: ${percent(heldOut.result)}; ` +
        `a head on the frozen backbone ${percent(heldOut.frozen)}.`,
      ]
      : ["No photos were held out: the accuracy is not known."]),
    calibrated ? `Calibrated, T = ${temperature.toFixed(2)}.` : "Not calibrated.",
    unknown ? "Knows unknown." : "Does not know unknown: too few photos are held out.",
    `${printable(out)}: deno task classify photo.jpg --model ${commandLine([out])}`,
  ];
  return lines.join("\n") + "\n";
}

/** Formats the result of fine-tuning as JSON. */
export function finetuneJson(result: FinetuneResult): Record<string, unknown> {
  const { tune, settings, heldOut, bestEpoch, records, evaluation, stopped, head } = result;
  const { temperature, calibrated, labels } = head.parameters.settings;
  return {
    tune: tuneText(tune),
    labels,
    ...(heldOut
      ? { accuracy: heldOut.result, frozen_accuracy: heldOut.frozen, held_out: heldOut.images }
      : {}),
    ...(bestEpoch === undefined ? {} : { best_epoch: bestEpoch }),
    temperature,
    calibrated,
    ...(stopped === undefined ? {} : { stopped }),
    ...(settings ? { settings: { ...settings, tune: tuneText(settings.tune) } } : {}),
    ...(evaluation ? { evaluation: evaluationJson(evaluation) } : {}),
    records: records.map(recordJson),
  };
}
