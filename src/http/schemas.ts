// What requests and answers look like. The same schemas validate and document: /openapi.json is made of
// them.

import * as v from "valibot";

/** An image in a JSON document. */
export const imageText = v.pipe(
  v.string(),
  v.description(
    "An image in base64, as a data URL or, where the service allows its host, as an https URL",
  ),
);

const oneOrMoreImages = v.union([imageText, v.array(imageText)]);

const POSITIVE_INTEGER = "an integer above 0";
const positiveInteger = v.pipe(
  v.number(),
  v.integer(POSITIVE_INTEGER),
  v.minValue(1, POSITIVE_INTEGER),
);

/** What can be asked of a classification: in the query, a form's fields or `parameters`. */
export const classifyParameters = v.strictObject({
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

/** Parameters of a classification, as a client gives them. */
export type ClassifyParameters = v.InferOutput<typeof classifyParameters>;

const encoding = v.picklist(["float", "base64"]);

/** What can be asked of an embedding. */
export const embedParameters = v.strictObject({
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
    v.pipe(encoding, v.description("Numbers (default), or base64 of little-endian float32")),
  ),
});

/** Parameters of an embedding, as a client gives them. */
export type EmbedParameters = v.InferOutput<typeof embedParameters>;

/** Hugging Face's JSON form of a request, parameters apart. */
export const imageDocument = v.strictObject({
  inputs: oneOrMoreImages,
  parameters: v.optional(v.record(v.string(), v.unknown())),
});

/** The body of `POST /classify` in JSON. */
export const classifyRequest = v.strictObject({
  inputs: oneOrMoreImages,
  parameters: v.optional(classifyParameters),
});

/** The body of `POST /embed` in JSON. */
export const embedRequest = v.strictObject({
  inputs: oneOrMoreImages,
  parameters: v.optional(embedParameters),
});

const classification = v.object({ label: v.string(), score: v.number() });

/** An answer of `POST /classify`: of one image its labels, of several a list of these. */
export const classifyResponse = v.union([
  v.array(classification),
  v.array(v.array(classification)),
]);

/** An answer of `POST /embed`. */
export const embedResponse = v.object({
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
});

/** The body of `POST /v1/embeddings`. */
export const openaiRequest = v.strictObject({
  input: oneOrMoreImages,
  model: v.string(),
  encoding_format: v.optional(encoding),
  dimensions: v.optional(positiveInteger),
});

/** An answer of `POST /v1/embeddings`. */
export const openaiResponse = v.object({
  object: v.literal("list"),
  data: v.array(v.object({
    object: v.literal("embedding"),
    index: v.number(),
    embedding: v.union([v.array(v.number()), v.string()]),
  })),
  model: v.string(),
  usage: v.object({ prompt_tokens: v.number(), total_tokens: v.number() }),
});

/** An answer of `GET /v1/models/{model}`. */
export const openaiModel = v.object({
  id: v.string(),
  object: v.literal("model"),
  created: v.number(),
  owned_by: v.string(),
});

/** An answer of `GET /v1/models`. */
export const openaiModels = v.object({ object: v.literal("list"), data: v.array(openaiModel) });

const tensorShape = v.pipe(
  v.array(v.pipe(
    v.number(),
    v.integer(POSITIVE_INTEGER),
    v.minValue(1, POSITIVE_INTEGER),
  )),
  v.minLength(1, "a list of 1 to 4 numbers"),
  v.maxLength(4, "a list of 1 to 4 numbers"),
);

/** What `POST /v2/models/{model}/infer` can give. */
const OUTPUTS = ["logits", "embedding"] as const;

/** The body of `POST /v2/models/{model}/infer`. */
export const inferRequest = v.strictObject({
  id: v.optional(v.pipe(v.string(), v.maxLength(256, "a text of up to 256 characters"))),
  inputs: v.pipe(
    v.array(v.strictObject({
      name: v.picklist(["pixel_values", "images"]),
      shape: tensorShape,
      datatype: v.picklist(["FP32", "BYTES"]),
      data: v.pipe(
        v.array(v.unknown()),
        v.description(
          "FP32: numbers in row-major order, flat or nested. BYTES: images in base64 or as data URLs",
        ),
      ),
    })),
    v.length(1, "a list of 1"),
  ),
  outputs: v.optional(
    v.pipe(
      v.array(v.strictObject({ name: v.picklist(OUTPUTS) })),
      v.minLength(1, "a list with entries"),
      v.maxLength(OUTPUTS.length, `a list of up to ${OUTPUTS.length}`),
    ),
  ),
});

/** An answer of `POST /v2/models/{model}/infer`. */
export const inferResponse = v.object({
  model_name: v.string(),
  id: v.optional(v.string()),
  outputs: v.array(v.object({
    name: v.string(),
    shape: v.array(v.number()),
    datatype: v.literal("FP32"),
    data: v.array(v.number()),
  })),
});

const tensorMetadata = v.object({
  name: v.string(),
  datatype: v.string(),
  shape: v.array(v.number()),
});

/** An answer of `GET /v2/models/{model}`. */
export const modelMetadata = v.object({
  name: v.string(),
  versions: v.array(v.string()),
  platform: v.string(),
  inputs: v.array(tensorMetadata),
  outputs: v.array(tensorMetadata),
});

/** An answer of `GET /v2`. */
export const serverMetadata = v.object({
  name: v.string(),
  version: v.string(),
  extensions: v.array(v.string()),
});

/** Answers of `GET /v2/health/live` and `/ready`. */
export const liveResponse = v.object({ live: v.boolean() });
/** See {@linkcode liveResponse}. */
export const readyResponse = v.object({ ready: v.boolean() });

/** An error, RFC 9457. */
export const problemDocument = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  error: v.string(),
});

/** An error of the routes under `/v1`. */
export const openaiError = v.object({
  error: v.object({
    message: v.string(),
    type: v.string(),
    param: v.null(),
    code: v.nullable(v.string()),
  }),
});

/** An error of the routes under `/v2`. */
export const inferenceError = v.object({ error: v.string() });
