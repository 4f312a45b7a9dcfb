import * as v from "valibot";
import type { Classification, ClassificationOptions } from "../../model/outputs/classification.ts";
import type { ViTMSNModel } from "../../model/vit_msn_model.ts";
import { Problem } from "../problem.ts";
import { readImageInputs } from "../request/image_inputs.ts";
import { shorten } from "../request/validate.ts";
import type { Route } from "../route.ts";
import { EXAMPLE_IMAGE, oneOrMoreImages, positiveInteger } from "../schemas.ts";
import { classifierOf } from "../served_model.ts";

const parameters = v.strictObject({
  top_k: v.optional(v.pipe(positiveInteger, v.description("At most so many labels; default 5"))),
  threshold: v.optional(
    v.pipe(
      v.number(),
      v.finite("a finite number"),
      v.description("Only labels with at least this score"),
    ),
  ),
  function_to_apply: v.optional(
    v.pipe(
      v.picklist(["softmax", "sigmoid", "none"]),
      v.description(
        "What makes scores of logits; default is what the model was trained for",
      ),
    ),
  ),
  unknown: v.optional(
    v.pipe(
      v.boolean(),
      v.description("Whether to label images unknown that show none of the classes; default no"),
    ),
  ),
  labels: v.optional(
    v.pipe(
      v.array(v.string()),
      v.minLength(1, "a list with entries"),
      v.description("Only these labels; in a query or form, a `labels` for each"),
    ),
  ),
});

const classification = v.object({ label: v.string(), score: v.number() });

/** `POST /classify`: an image's labels as Hugging Face answers them, or a list of these for several. */
export const classify: Route = {
  method: "post",
  path: "/classify",
  group: "classify",
  summary: "Names what is on an image, or on several",
  errors: "problem",
  parameters,
  request: {
    schema: v.strictObject({ inputs: oneOrMoreImages, parameters: v.optional(parameters) }),
    example: () => ({ inputs: EXAMPLE_IMAGE, parameters: { top_k: 3 } }),
    takesImages: true,
  },
  response: v.union([v.array(classification), v.array(v.array(classification))]),
  async answer(exchange, service) {
    using body = await service.body(exchange);
    const { images, parameters: given, isBatch } = await readImageInputs(
      exchange.request,
      body.bytes,
      parameters,
      service.limits.maxImages,
      (url) => service.fetchImage(exchange, url),
    );
    const served = await service.model(exchange);
    const model = classifierOf(served);
    const options = optionsFor(given, model);
    const results = await service.infer<Classification[]>(exchange, images, served, {
      key: JSON.stringify(["classify", options]),
      run: (pixelValues) => model.classify(pixelValues, options),
    });
    return Response.json(isBatch ? results : results[0]);
  },
};

/** @throws {Problem} 400 if the model has no such label, or it cannot tell unknown images. */
function optionsFor(
  { top_k, threshold, function_to_apply, labels, unknown }: v.InferOutput<typeof parameters>,
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
