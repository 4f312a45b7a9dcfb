import type { ClassificationOptions } from "../heads/classification.ts";
import type { ViTMSNModel } from "../model.ts";
import { Problem } from "./problem.ts";
import type { ClassifyParameters } from "./schemas.ts";
import { shorten } from "./request/validate.ts";

/**
 * What a request's parameters mean for a model: the one place in which they become the options of
 * `classify`.
 *
 * @throws {Problem} 400 if a label is none of the model's, or it cannot tell unknown images.
 */
export function classificationOptions(
  { top_k, threshold, function_to_apply, labels, unknown }: ClassifyParameters,
  { config, head }: Pick<ViTMSNModel, "config" | "head">,
): ClassificationOptions {
  if (unknown && !head?.parameters.settings.unknown) {
    throw new Problem(400, "unknown: the model cannot tell unknown images");
  }
  const stranger = labels?.find((label) => !config.id2label.includes(label));
  if (stranger !== undefined) {
    throw new Problem(400, `labels: "${shorten(stranger)}" is no label of the model`);
  }
  return {
    ...(top_k === undefined ? {} : { topK: top_k }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(function_to_apply === undefined ? {} : { functionToApply: function_to_apply }),
    ...(labels === undefined ? {} : { labels }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}
