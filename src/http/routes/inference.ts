import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNModel } from "../../model.ts";
import type { Answer, Exchange } from "../exchange.ts";
import { assertCount, readImageTexts } from "../request/image_inputs.ts";
import type { InferenceWork } from "../queue/inference_queue.ts";
import type { ServedModel } from "../model_loader.ts";
import { assertModelName } from "../model_name.ts";
import { Problem } from "../problem.ts";
import { inferRequest } from "../schemas.ts";
import { parseJson } from "../request/json.ts";
import { validate } from "../request/validate.ts";
import { classifierOf } from "./classify.ts";

/** `GET /v2/health/live`: the process answers. */
export const live: Answer = () => Response.json({ live: true });

/** `GET /v2/health/ready` and `GET /v2/models/{model}/ready`: the model is loaded, or begins to be. */
export const ready: Answer = ({ service, path }) => {
  if (path.model !== undefined) assertModelName(path.model, service.name);
  const isReady = service.loader.served !== undefined;
  // A host that asks before it sends requests would wait for ever for a model that loads on the first.
  if (!isReady) service.loader.get().catch(() => {});
  return Response.json({ ready: isReady }, { status: isReady ? 200 : 503 });
};

/** `GET /v2` */
export const server: Answer = () =>
  Response.json({ name: "vit-msn-edge", version: "2", extensions: [] });

/** `GET /v2/models/{model}` */
export const metadata: Answer = async ({ service, path, deadline }) => {
  assertModelName(path.model, service.name);
  const { model } = await service.model(deadline);
  const { numChannels, imageSize, hiddenSize, id2label } = model.config;
  const classifies = model.defaultOutputs.includes("logits");
  return Response.json({
    name: service.name,
    versions: ["1"],
    platform: "onnx",
    inputs: [
      { name: "pixel_values", datatype: "FP32", shape: [-1, numChannels, ...imageSize] },
      { name: "images", datatype: "BYTES", shape: [-1] },
    ],
    outputs: [
      ...(classifies ? [{ name: "logits", datatype: "FP32", shape: [-1, id2label.length] }] : []),
      { name: "embedding", datatype: "FP32", shape: [-1, hiddenSize] },
    ],
  });
};

/** `POST /v2/models/{model}/infer`: `pixel_values`, or images, to `logits` or `embedding`. */
export const infer: Answer = async (exchange) => {
  const { request, service, deadline, path } = exchange;
  assertModelName(path.model, service.name);
  using body = await service.body(request, deadline);
  const served = await service.model(deadline);
  const { numChannels, imageSize } = served.model.config;
  const elements = service.limits.maxImages * numChannels * imageSize[0] * imageSize[1];
  const { id, inputs: [input], outputs } = validate(inferRequest, parseJson(body.bytes, elements));
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
  const results = await inferInput(exchange, input!, served, work);
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
};

/** One input of a request. */
interface Input {
  readonly name: "pixel_values" | "images";
  readonly shape: readonly number[];
  readonly datatype: "FP32" | "BYTES";
  readonly data: readonly unknown[];
}

async function inferInput(
  { service, deadline, timings }: Exchange,
  input: Input,
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
    const images = await readImageTexts(texts, (url) => service.fetchImage(url, deadline));
    return await service.infer(images, served, work, deadline, timings);
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
  return await service.inferPixels(pixelValues, work, deadline, timings);
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
  const B = pixelValues.shape[0]!;
  return Array.from({ length: B }, (_, b) =>
    wanted.map((name) => {
      const { data, shape } = outputs.get(name) as Tensor<"float32">;
      const stride = data.length / B;
      return data.slice(b * stride, b * stride + shape.at(-1)!); // of the tokens, CLS
    }));
}
