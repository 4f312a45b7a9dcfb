import { toNumbers } from "../../tensor/to_numbers.ts";
import { assertDimensions, finishVectors, toBase64 } from "../embedding_vectors.ts";
import type { Answer } from "../exchange.ts";
import { assertCount, readImageTexts } from "../request/image_inputs.ts";
import { assertModelName } from "../model_name.ts";
import { openaiRequest } from "../schemas.ts";
import { parseJson } from "../request/json.ts";
import { validate } from "../request/validate.ts";

/** `POST /v1/embeddings`: OpenAI's form, with images as data URLs in place of texts. */
export const openaiEmbeddings: Answer = async (exchange) => {
  const { request, service, deadline, timings } = exchange;
  using body = await service.body(request, deadline);
  const { input, model: name, encoding_format = "float", dimensions } = validate(
    openaiRequest,
    parseJson(body.bytes, service.limits.maxImages),
  );
  assertModelName(name, service.name);
  const texts = typeof input === "string" ? [input] : input;
  assertCount(texts.length, service.limits.maxImages);
  const images = await readImageTexts(texts, (url) => service.fetchImage(url, deadline));
  const served = await service.model(deadline);
  assertDimensions(dimensions, served.model.config.hiddenSize);
  const results = await service.infer<Float32Array[]>(
    images,
    served,
    {
      key: "embed cls",
      run: (pixelValues) => served.model.embed(pixelValues),
    },
    deadline,
    timings,
  );
  return Response.json({
    object: "list",
    // OpenAI's vectors have length 1.
    data: results.map((vectors, index) => {
      const [vector] = finishVectors(vectors, { normalize: true, dimensions });
      const embedding = encoding_format === "base64" ? toBase64([vector!]) : toNumbers(vector!);
      return { object: "embedding", index, embedding };
    }),
    model: service.name,
    usage: { prompt_tokens: 0, total_tokens: 0 }, // there are no words
  });
};

/** `GET /v1/models` */
export const openaiModels: Answer = ({ service }) =>
  Response.json({ object: "list", data: [modelOf(service.name)] });

/** `GET /v1/models/{model}` */
export const openaiModel: Answer = ({ service, path }) => {
  assertModelName(path.model, service.name);
  return Response.json(modelOf(service.name));
};

function modelOf(id: string): unknown {
  return { id, object: "model", created: 0, owned_by: "vit-msn-edge" };
}
