import * as v from "valibot";
import type { ViTMSNModel } from "../../../model/vit_msn_model.ts";
import { rowsOf } from "../../../tensor/rows_of.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Exchange } from "../../exchange.ts";
import { Problem } from "../../problem.ts";
import type { InferenceWork } from "../../queue/inference_queue.ts";
import { assertCount, readImageTexts } from "../../request/image_inputs.ts";
import { parseJson } from "../../request/json.ts";
import { validate } from "../../request/validate.ts";
import type { Route } from "../../route.ts";
import { EXAMPLE_IMAGE, positiveInteger } from "../../schemas.ts";
import { classifierOf, type ServedModel } from "../../served_model.ts";
import type { Service } from "../../service.ts";

const OUTPUTS = ["logits", "embedding"] as const;

const inputTensor = v.strictObject({
  name: v.picklist(["pixel_values", "images"]),
  shape: v.pipe(
    v.array(positiveInteger),
    v.minLength(1, "a list of 1 to 4 numbers"),
    v.maxLength(4, "a list of 1 to 4 numbers"),
  ),
  datatype: v.picklist(["FP32", "BYTES"]),
  data: v.pipe(
    v.array(v.unknown()),
    v.description(
      "FP32: numbers in row-major order, flat or nested. BYTES: images in base64 or as data URLs",
    ),
  ),
});

const schema = v.strictObject({
  id: v.optional(v.pipe(v.string(), v.maxLength(256, "a text of up to 256 characters"))),
  inputs: v.pipe(v.array(inputTensor), v.length(1, "a list of 1")),
  outputs: v.optional(
    v.pipe(
      v.array(v.strictObject({ name: v.picklist(OUTPUTS) })),
      v.minLength(1, "a list with entries"),
      v.maxLength(OUTPUTS.length, `a list of up to ${OUTPUTS.length}`),
    ),
  ),
});

/** `POST /v2/models/{model}/infer`: `pixel_values`, or images, to `logits` or `embedding`. */
export const infer: Route = {
  method: "post",
  path: "/v2/models/:model/infer",
  group: "inference",
  summary: "Logits or embeddings of pixel_values or of images",
  errors: "inference",
  request: {
    schema,
    example: () => ({
      inputs: [{ name: "images", shape: [1], datatype: "BYTES", data: [EXAMPLE_IMAGE] }],
    }),
  },
  response: v.object({
    model_name: v.string(),
    id: v.optional(v.string()),
    outputs: v.array(v.object({
      name: v.string(),
      shape: v.array(v.number()),
      datatype: v.literal("FP32"),
      data: v.array(v.number()),
    })),
  }),
  async answer(exchange, service) {
    service.assertName(exchange.path.model);
    using body = await service.body(exchange);
    const served = await service.model(exchange);
    const { numChannels, imageSize } = served.model.config;
    const elements = service.limits.maxImages * numChannels * imageSize[0] * imageSize[1];
    const { id, inputs: [input], outputs } = validate(schema, parseJson(body.bytes, elements));
    const classifies = served.model.defaultOutputs.includes("logits");
    const names = outputs?.map(({ name }) => name) ?? [classifies ? "logits" : "embedding"];
    if (new Set(names).size < names.length) {
      throw new Problem(400, "outputs names an output more than once");
    }
    if (names.includes("logits")) classifierOf(served);
    const work: InferenceWork<Float32Array[]> = {
      key: `infer ${names.join()}`,
      run: (pixelValues) => run(served.model, pixelValues, names),
    };
    const results = await inferInput(exchange, service, input!, served, work);
    if (!results.every((vectors) => vectors.every((vector) => vector.every(Number.isFinite)))) {
      throw new Problem(
        400,
        "The model's answer has numbers that are not finite: the pixel_values are too large",
      );
    }
    return Response.json({
      model_name: service.name,
      ...(id === undefined ? {} : { id }),
      outputs: names.map((name, i) => {
        const rows = results.map((vectors) => vectors[i]!);
        return {
          name,
          shape: [rows.length, rows[0]!.length],
          datatype: "FP32",
          data: rows.flatMap((row) => [...row]),
        };
      }),
    });
  },
};

async function inferInput(
  exchange: Exchange,
  service: Service,
  input: v.InferOutput<typeof inputTensor>,
  served: ServedModel,
  work: InferenceWork<Float32Array[]>,
): Promise<Float32Array[][]> {
  const { maxImages } = service.limits;
  const { name, shape, datatype } = input;
  assertCount(shape[0]!, maxImages);
  if (name === "images") {
    const texts = input.data.flat();
    const size = shape.reduce((product, length) => product * length, 1);
    if (texts.length !== size) throw wrongLength(name, texts.length, shape);
    if (datatype !== "BYTES" || !texts.every((text) => typeof text === "string")) {
      throw new Problem(400, "images is not BYTES, a list of images in base64");
    }
    assertCount(texts.length, maxImages);
    const images = await readImageTexts(texts, (url) => service.fetchImage(exchange, url));
    return await service.infer(exchange, images, served, work);
  }
  const { numChannels, imageSize } = served.model.config;
  const expected = [numChannels, ...imageSize];
  if (datatype !== "FP32" || shape.length !== 4 || shape.slice(1).join() !== expected.join()) {
    throw new Problem(
      400,
      `pixel_values is ${datatype} [${shape}], not FP32 [batch, ${expected.join(", ")}]`,
    );
  }
  const pixelValues: Tensor<"float32"> = {
    dtype: "float32",
    shape,
    data: toFloat32(input.data, shape),
  };
  return await service.inferPixels(exchange, pixelValues, work);
}

/**
 * The numbers of a tensor in JSON, flat or nested.
 *
 * @throws {Problem} 400 if they are not as many as the shape calls for, or not finite in single precision.
 */
function toFloat32(data: readonly unknown[], shape: readonly number[]): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(shape.reduce((product, length) => product * length, 1));
  let count = 0;
  const append = (items: readonly unknown[]) => {
    for (const item of items) {
      if (Array.isArray(item)) append(item); // parseJson limits the nesting
      else if (typeof item !== "number" || !Number.isFinite(Math.fround(item))) {
        throw new Problem(400, "pixel_values has elements that are no finite numbers");
      } else numbers[count++] = item;
    }
  };
  append(data);
  if (count !== numbers.length) throw wrongLength("pixel_values", count, shape);
  return numbers;
}

function wrongLength(name: string, length: number, shape: readonly number[]): Problem {
  return new Problem(400, `${name} has ${length} elements, not [${shape}]`);
}

/** The wanted vectors of each image. */
async function run(
  model: ViTMSNModel,
  pixelValues: Tensor<"float32">,
  names: readonly ("logits" | "embedding")[],
): Promise<Float32Array[][]> {
  const wanted = names.map((name) => name === "logits" ? name : "last_hidden_state" as const);
  const outputs = await model.forward({ pixel_values: pixelValues }, {
    outputs: [...new Set(wanted)],
  });
  const vectors = wanted.map((name) => {
    const output = outputs.get(name) as Tensor<"float32">;
    return rowsOf(output).map((row) => row.slice(0, output.shape.at(-1))); // of the tokens, CLS
  });
  return vectors[0]!.map((_, b) => vectors.map((rows) => rows[b]!));
}
