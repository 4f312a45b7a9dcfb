import { sigmoid, softmax } from "../tensor/softmax.ts";
import { topK } from "../tensor/top_k.ts";
import type { ViTMSNConfig } from "../vit_msn/config.ts";

/** A class and how sure the model is of it, as Hugging Face's `image-classification` answers. */
export interface Classification {
  /** The class's name, from the config's `id2label`. */
  readonly label: string;
  /** From 0 to 1; the logit itself with `functionToApply: "none"`, and of a model of regression. */
  readonly score: number;
}

/** What makes scores of logits. */
export type FunctionToApply = "softmax" | "sigmoid" | "none";

/** Which labels of an image to return. */
export interface ClassificationOptions {
  /** At most so many labels; default 5. */
  readonly topK?: number;
  /** Only labels with at least this score; default is all. */
  readonly threshold?: number;
  /**
   * Whether an image that is none of the classes is labelled `unknown`, before its other labels; default
   * no. Only heads that were fitted on enough images can tell.
   */
  readonly unknown?: boolean;
  /**
   * Default is `none` for a model of `regression`, whose outputs are values, `sigmoid` where the classes do
   * not exclude each other (`multi_label_classification`) or there is only one, else `softmax`.
   */
  readonly functionToApply?: FunctionToApply;
  /** Only these labels; default is all. Scores stay what they are among all labels. */
  readonly labels?: readonly string[];
}

/**
 * Turns one image's logits into labels, best first.
 *
 * @param logits [K], a number for each of the config's labels.
 * @throws {RangeError} if there are more or fewer logits than labels, one is no number, `topK` is no
 * positive integer, or one of `labels` is none of the model's.
 */
export function toClassifications(
  logits: Float32Array,
  config: Pick<ViTMSNConfig, "id2label" | "problemType">,
  { topK: k = 5, threshold = -Infinity, functionToApply, labels }: ClassificationOptions = {},
): Classification[] {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new RangeError(`Cannot choose labels: topK is ${k}, not an integer of at least 1`);
  }
  if (logits.length !== config.id2label.length) {
    throw new RangeError(
      `Cannot name labels: there are ${logits.length} logits for ${config.id2label.length} labels`,
    );
  }
  if (logits.some(Number.isNaN)) {
    throw new RangeError("Cannot name labels: a logit is not a number");
  }
  const stranger = labels?.find((label) => !config.id2label.includes(label));
  if (stranger !== undefined) {
    throw new RangeError(`Cannot choose labels: "${stranger}" is no label of the model`);
  }
  const independent = config.problemType === "multi_label_classification" || logits.length === 1;
  const byDefault = config.problemType === "regression"
    ? "none"
    : independent
    ? "sigmoid"
    : "softmax";
  const scores = FUNCTIONS[functionToApply ?? byDefault](logits);
  return topK(scores, scores.length)
    .map((id) => ({ label: config.id2label[id]!, score: scores[id]! }))
    .filter(({ label, score }) => score >= threshold && (!labels || labels.includes(label)))
    .slice(0, k);
}

const FUNCTIONS: Readonly<
  Record<FunctionToApply, (logits: Float32Array) => Float32Array | Float64Array>
> = { softmax, sigmoid, none: (logits) => logits };
