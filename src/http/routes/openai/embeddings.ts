import * as v from "valibot";
import { rowsOf } from "../../../tensor/rows_of.ts";
import { toNumbers } from "../../../tensor/to_numbers.ts";
import { assertDimensions, finishVector, toBase64 } from "../../response/embedding_vectors.ts";
import { assertCount, readImageTexts } from "../../request/image_inputs.ts";
import { parseJson } from "../../request/json.ts";
import { validate } from "../../request/validate.ts";
import type { Route } from "../../route.ts";
import { encodingFormat, EXAMPLE_IMAGE, oneOrMoreImages, positiveInteger } from "../../schemas.ts";

const schema = v.strictObject({
  input: oneOrMoreImages,
  model: v.string(),
  encoding_format: v.optional(encodingFormat),
  dimensions: v.optional(positiveInteger),
});

/** `POST /v1/embeddings`: OpenAI's form, with images as data URLs in place of texts. */
export const openaiEmbeddings: Route = {
  method: "post",
  path: "/v1/embeddings",
  group: "openai",
  summary: "Embeddings in OpenAI's form, of images as data URLs",
  errors: "openai",
  request: {
    schema,
    example: (model) => ({ input: `data:image/gif;base64,${EXAMPLE_IMAGE}`, model }),
  },
  response: v.object({
    object: v.literal("list"),
    data: v.array(v.object({
      object: v.literal("embedding"),
      index: v.number(),
      embedding: v.union([v.array(v.number()), v.string()]),
    })),
    model: v.string(),
    usage: v.object({ prompt_tokens: v.number(), total_tokens: v.number() }),
  }),
  async answer(exchange, service) {
    using body = await service.body(exchange);
    const { input, model: name, encoding_format = "float", dimensions } = validate(
      schema,
      parseJson(body.bytes, service.limits.maxImages),
    );
    service.assertName(name);
    const texts = typeof input === "string" ? [input] : input;
    assertCount(texts.length, service.limits.maxImages);
    const images = await readImageTexts(texts, (url) => service.fetchImage(exchange, url));
    const served = await service.model(exchange);
    assertDimensions(dimensions, served.model.config.hiddenSize);
    const results = await service.infer<Float32Array>(exchange, images, served, {
      key: "embed cls",
      run: async (pixelValues) => rowsOf(await served.model.embed(pixelValues)),
    });
    return Response.json({
      object: "list",
      // OpenAI's vectors have length 1.
      data: results.map((row, index) => {
        const vector = finishVector(row, { normalize: true, dimensions });
        const embedding = encoding_format === "base64" ? toBase64([vector]) : toNumbers(vector);
        return { object: "embedding", index, embedding };
      }),
      model: service.name,
      usage: { prompt_tokens: 0, total_tokens: 0 }, // there are no words
    });
  },
};
