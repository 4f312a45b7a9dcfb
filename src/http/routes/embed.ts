import { toNumbers } from "../../tensor/to_numbers.ts";
import { assertDimensions, finishVectors, toBase64 } from "../embedding_vectors.ts";
import type { Answer } from "../exchange.ts";
import { readImageInputs } from "../request/image_inputs.ts";
import { embedParameters } from "../schemas.ts";
import { validate } from "../request/validate.ts";

/** `POST /embed`: the embeddings of images. */
export const embed: Answer = async (exchange) => {
  const { request, service, deadline, timings } = exchange;
  using body = await service.body(request, deadline);
  const { images, parameters } = await readImageInputs(
    request,
    body.bytes,
    embedParameters,
    service.limits.maxImages,
    (url) => service.fetchImage(url, deadline),
  );
  const { pool = "cls", normalize = false, dimensions, encoding_format = "float" } = validate(
    embedParameters,
    parameters,
  );
  const served = await service.model(deadline);
  const { model } = served;
  assertDimensions(dimensions, model.config.hiddenSize);
  const results = await service.infer<Float32Array[]>(
    images,
    served,
    {
      key: `embed ${pool}`,
      run: (pixelValues) => model.embed(pixelValues, { pool }),
    },
    deadline,
    timings,
  );
  const finished = results.map((vectors) => finishVectors(vectors, { normalize, dimensions }));
  const [tokens] = finished as [Float32Array[]];
  const size = tokens[0]!.length;
  return Response.json({
    model: service.name,
    shape: pool === "none" ? [finished.length, tokens.length, size] : [finished.length, size],
    embeddings: finished.map((vectors) => {
      if (encoding_format === "base64") return toBase64(vectors);
      const numbers = vectors.map(toNumbers);
      return pool === "none" ? numbers : numbers[0];
    }),
  });
};
