import * as v from "valibot";
import { imageTextBytes, isRemoteUrl } from "./image_text.ts";
import { Problem } from "../problem.ts";
import { oneOrMoreImages } from "../schemas.ts";
import { isForm, readForm } from "./form.ts";
import { isJsonObject, parseJson } from "./json.ts";
import {
  joinParameters,
  MAX_PARAMETERS,
  type ParametersSchema,
  textParameters,
} from "./text_parameters.ts";
import { validate } from "./validate.ts";

/** The images and parameters of a request. */
export interface ImageInputs<P> {
  readonly images: readonly Uint8Array<ArrayBuffer>[];
  /** The names of a form's files. */
  readonly names?: readonly string[];
  readonly parameters: P;
  /** Whether the client expects a list with an element an image. */
  readonly isBatch: boolean;
}

/** Fetches an image by URL. */
export type FetchImage = (url: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Hugging Face's JSON form of a request; its parameters are validated together with those of the query. */
const imageDocument = v.strictObject({
  inputs: oneOrMoreImages,
  parameters: v.optional(v.record(v.string(), v.unknown())),
});

/**
 * Reads a request for images in any of its forms: the image itself, a multipart form of files and of
 * parameters, or Hugging Face's JSON. The bytes decide which; the media type counts only for forms,
 * because clients send wrong ones.
 *
 * @param schema of the parameters.
 * @param maxImages the most images.
 * @throws {Problem} 400 if it has another form, 413 if there are too many images or too much else.
 */
export async function readImageInputs<S extends ParametersSchema>(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
  schema: S,
  maxImages: number,
  fetchImage: FetchImage,
): Promise<ImageInputs<v.InferOutput<S>>> {
  const query = textParameters(new URL(request.url).searchParams, schema);
  const type = request.headers.get("content-type") ?? "";
  if (isForm(type)) {
    const { files, fields } = await readForm(body, type, maxImages + MAX_PARAMETERS);
    assertCount(files.length, maxImages);
    const images = await Promise.all(
      files.map(async (file) => new Uint8Array(await file.arrayBuffer())),
    );
    const parameters = validate(schema, joinParameters(query, textParameters(fields, schema)));
    const names = files.map(({ name }) => name);
    return { images, names, parameters, isBatch: images.length > 1 };
  }
  if (isJsonObject(body)) {
    const { inputs, parameters = {} } = validate(imageDocument, parseJson(body, maxImages));
    const texts = typeof inputs === "string" ? [inputs] : inputs;
    assertCount(texts.length, maxImages);
    return {
      images: await readImageTexts(texts, fetchImage),
      parameters: validate(schema, joinParameters(query, Object.entries(parameters))),
      isBatch: typeof inputs !== "string",
    };
  }
  if (/^\s*application\/json\b/i.test(type)) {
    throw new Problem(400, "The request's body is not a JSON object");
  }
  assertCount(body.length > 0 ? 1 : 0, maxImages);
  return { images: [body], parameters: validate(schema, joinParameters(query)), isBatch: false };
}

/** Reads images from base64, data URLs or URLs, one after the other. */
export async function readImageTexts(
  texts: readonly string[],
  fetchImage: FetchImage,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const images: Uint8Array<ArrayBuffer>[] = [];
  for (const [i, text] of texts.entries()) {
    const name = texts.length > 1 ? `image ${i}` : "the image";
    images.push(isRemoteUrl(text) ? await fetchImage(text) : imageTextBytes(text, name));
  }
  return images;
}

/**
 * Checks the number of images.
 *
 * @throws {Problem} 400 if there is none, 413 if there are too many.
 */
export function assertCount(count: number, maxImages: number): void {
  if (count === 0) throw new Problem(400, "There is no image in the request");
  if (count > maxImages) {
    throw new Problem(413, `There are ${count} images in the request, more than ${maxImages}`);
  }
}
