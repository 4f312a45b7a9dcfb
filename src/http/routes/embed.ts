import * as v from "valibot";
import { rowsOf } from "../../tensor/rows_of.ts";
import { toNumbers } from "../../tensor/to_numbers.ts";
import { assertDimensions, finishVector, toBase64 } from "../response/embedding_vectors.ts";
import { readImageInputs } from "../request/image_inputs.ts";
import type { Route } from "../route.ts";
import { encodingFormat, EXAMPLE_IMAGE, oneOrMoreImages, positiveInteger } from "../schemas.ts";

const parameters = v.strictObject({
  pool: v.optional(
    v.pipe(
      v.picklist(["cls", "mean", "none"]),
      v.description("The first token (default), the mean of the patches, or every token"),
    ),
  ),
  normalize: v.optional(v.pipe(v.boolean(), v.description("Scale vectors to length 1"))),
  dimensions: v.optional(
    v.pipe(
      positiveInteger,
      v.description("Keep so many numbers of each vector, the first ones; default is all"),
    ),
  ),
  encoding_format: v.optional(
    v.pipe(encodingFormat, v.description("Numbers (default), or base64 of little-endian float32")),
  ),
});

/** `POST /embed`: the embeddings of images. */
export const embed: Route = {
  method: "post",
  path: "/embed",
  group: "embed",
  summary: "Computes the embeddings of images",
  errors: "problem",
  parameters,
  request: {
    schema: v.strictObject({ inputs: oneOrMoreImages, parameters: v.optional(parameters) }),
    example: () => ({
      inputs: [`data:image/gif;base64,${EXAMPLE_IMAGE}`],
      parameters: { normalize: true },
    }),
    takesImages: true,
  },
  response: v.object({
    model: v.string(),
    shape: v.pipe(
      v.array(v.number()),
      v.description("[images, numbers], or [images, tokens, numbers] with pool=none"),
    ),
    embeddings: v.union([
      v.array(v.array(v.number())),
      v.array(v.array(v.array(v.number()))),
      v.pipe(v.array(v.string()), v.description("Little-endian float32, an image a string")),
    ]),
  }),
  async answer(exchange, service) {
    using body = await service.body(exchange);
    const { images, parameters: given } = await readImageInputs(
      exchange.request,
      body.bytes,
      parameters,
      service.limits.maxImages,
      (url) => service.fetchImage(exchange, url),
    );
    const { pool = "cls", normalize = false, dimensions, encoding_format = "float" } = given;
    const served = await service.model(exchange);
    const { model } = served;
    const { hiddenSize } = model.config;
    assertDimensions(dimensions, hiddenSize);
    const results = await service.infer<Float32Array>(exchange, images, served, {
      key: `embed ${pool}`,
      run: async (pixelValues) =>
        rowsOf(
          pool === "none"
            ? await model.embedTokens(pixelValues)
            : await model.embed(pixelValues, { pool }),
        ),
    });
    const finished = results.map((data) => {
      const vectors = rowsOf({ dtype: "float32", shape: [data.length / hiddenSize], data });
      return vectors.map((vector) => finishVector(vector, { normalize, dimensions }));
    });
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
  },
};
