import { evaluateLogits, type HeadEvaluation } from "../../../heads/evaluate/evaluate.ts";
import type { Head } from "../../../heads/head.ts";
import { topK } from "../../../tensor/top_k.ts";

/** How good a head is on the held-out images. */
export interface Judgement {
  readonly accuracy: number;
  readonly images: number;
  readonly evaluation?: HeadEvaluation;
}

/** With more classes, the table of confusions would take gigabytes. */
const MAX_EVALUATED_CLASSES = 1000;

/** @param logits of a head, in the order of the classes, divided by its temperature. */
export function judge(
  logits: readonly Float32Array[],
  truths: readonly number[],
  { parameters: { settings } }: Head,
  classes: readonly string[],
): Judgement {
  const judgement = { accuracy: accuracyOf(logits, truths), images: logits.length };
  if (classes.length > MAX_EVALUATED_CLASSES) return judgement;
  const labels = truths.map((label) => classes[label]!);
  return {
    ...judgement,
    evaluation: evaluateLogits(logits, labels, classes, settings.temperature),
  };
}

/** The share of images whose best label is correct. */
export function accuracyOf(logits: readonly Float32Array[], truths: readonly number[]): number {
  return logits.filter((row, i) => topK(row, 1)[0] === truths[i]).length / logits.length;
}
