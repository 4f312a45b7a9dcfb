import { sigmoid, softmax } from "../../tensor/softmax.ts";
import { topK } from "../../tensor/top_k.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";

/** A class and its score, in the format of Hugging Face's `image-classification` pipeline. */
export interface Classification {
  /** The class's name, from the config's `id2label`. */
  readonly label: string;
  /** From 0 to 1; the logit itself with `functionToApply: "none"` and for a regression model. */
  readonly score: number;
}

/** The function from logits to scores. */
export type FunctionToApply = "softmax" | "sigmoid" | "none";

/** Which labels of an image to return. */
export interface ClassificationOptions {
  /** The largest number of labels; default 5. */
  readonly topK?: number;
  /** Only labels with at least this score; default is all. */
  readonly threshold?: number;
  /**
   * Whether an image that belongs to none of the classes gets the label `unknown` before its other labels;
   * default false. It requires a head with a rule for unknown images, which takes enough images to fit.
   */
  readonly unknown?: boolean;
  /**
   * The default is `none` for `regression`, `sigmoid` for `multi_label_classification` and for a single
   * label, otherwise `softmax`.
   */
  readonly functionToApply?: FunctionToApply;
  /** Returns only these labels; default is all. Scores are still computed over all labels. */
  readonly labels?: readonly string[];
}

/**
 * Turns one image's logits into labels, best first.
 *
 * @param logits [K], one for each of the config's labels.
 * @throws {RangeError} if the number of logits is not the number of labels, a logit is NaN, `topK` is not
 * a positive integer, or one of `labels` is not a label of the model.
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
