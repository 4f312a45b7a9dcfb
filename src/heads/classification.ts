import { sigmoid, softmax } from "../tensor/softmax.ts";
import { topK } from "../tensor/top_k.ts";
import type { ViTMSNConfig } from "../vit_msn/config.ts";

/** A class and how sure the model is of it, as Hugging Face's `image-classification` answers. */
export interface Classification {
  /** The class's name, from the config's `id2label`. */
  readonly label: string;
  /** From 0 to 1. */
  readonly score: number;
}

/** Which labels of an image to return. */
export interface ClassificationOptions {
  /** At most so many labels; default 5. */
  readonly topK?: number;
  /** Only labels with at least this score, 0 to 1; default 0, all. */
  readonly threshold?: number;
  /**
   * Whether an image that is none of the classes is labelled `unknown`, before its other labels; default
   * no. Only heads that were fitted on enough images can tell.
   */
  readonly unknown?: boolean;
}

/**
 * Turns one image's logits into labels, best first. Scores are a softmax, or a sigmoid where the
 * classes do not exclude each other (`multi_label_classification`) or there is only one.
 *
 * @param logits [K], a number for each of the config's labels.
 * @throws {RangeError} if there are more or fewer logits than labels, one is no number, or `topK` is no
 * positive integer.
 */
export function toClassifications(
  logits: Float32Array,
  config: Pick<ViTMSNConfig, "id2label" | "problemType">,
  { topK: k = 5, threshold = 0 }: ClassificationOptions = {},
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
  const independent = config.problemType === "multi_label_classification" || logits.length === 1;
  const scores = independent ? sigmoid(logits) : softmax(logits);
  return topK(scores, k)
    .map((id) => ({ label: config.id2label[id]!, score: scores[id]! }))
    .filter(({ score }) => score >= threshold);
}
