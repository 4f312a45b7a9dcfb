import type { Classification } from "../../heads/classification.ts";
import { ViTMSNForImageClassification } from "../../model.ts";
import { classificationOptions } from "../classification_options.ts";
import type { Answer } from "../exchange.ts";
import { readImageInputs } from "../request/image_inputs.ts";
import { Problem } from "../problem.ts";
import { classifyParameters } from "../schemas.ts";
import { validate } from "../request/validate.ts";
import type { ServedModel } from "../model_loader.ts";

/** `POST /classify`: an image's labels as Hugging Face answers them, or a list of these for several. */
export const classify: Answer = async (exchange) => {
  const { request, service, deadline, timings } = exchange;
  using body = await service.body(request, deadline);
  const { images, parameters, isBatch } = await readImageInputs(
    request,
    body.bytes,
    classifyParameters,
    service.limits.maxImages,
    (url) => service.fetchImage(url, deadline),
  );
  const checked = validate(classifyParameters, parameters);
  const served = await service.model(deadline);
  const model = classifierOf(served);
  const options = classificationOptions(checked, model);
  const results = await service.infer<Classification[]>(
    images,
    served,
    {
      key: JSON.stringify(["classify", options]),
      run: (pixelValues) => model.classify(pixelValues, options),
    },
    deadline,
    timings,
  );
  return Response.json(isBatch ? results : results[0]);
};

/** @throws {Problem} 400 if the model names no labels. */
export function classifierOf({ model }: ServedModel): ViTMSNForImageClassification {
  if (model instanceof ViTMSNForImageClassification) return model;
  throw new Problem(400, "The model here has no classifier; it makes embeddings: POST /embed");
}
