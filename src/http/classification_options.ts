import type { ClassificationOptions } from "../heads/classification.ts";
import type { ViTMSNConfig } from "../vit_msn/config.ts";
import { Problem } from "./problem.ts";
import { type ClassifyParameters } from "./schemas.ts";
import { shorten } from "./validate.ts";

/**
 * What a request's parameters mean for a model: the one place in which they become the options of
 * `classify`.
 *
 * @throws {Problem} 400 if a label is none of the model's.
 */
export function classificationOptions(
  { top_k, threshold, function_to_apply, labels }: ClassifyParameters,
  { id2label }: Pick<ViTMSNConfig, "id2label">,
): ClassificationOptions {
  const stranger = labels?.find((label) => !id2label.includes(label));
  if (stranger !== undefined) {
    throw new Problem(400, `labels: "${shorten(stranger)}" is no label of the model`);
  }
  return {
    ...(top_k === undefined ? {} : { topK: top_k }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(function_to_apply === undefined ? {} : { functionToApply: function_to_apply }),
    ...(labels === undefined ? {} : { labels }),
  };
}
