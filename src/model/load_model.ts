import type { Runtime } from "../runtime/runtime.ts";
import { simdRuntime } from "../runtime/simd/runtime.ts";
import { type HeadFile, readHeadFile } from "../vit_msn/head/head_file.ts";
import {
  type ModelDescription,
  type ModelFile,
  readModelFile,
  type Sidecars,
} from "../vit_msn/model_file.ts";
import { readImages } from "./read_images.ts";
import {
  BACKBONE,
  modelOf,
  ViTMSNForImageClassification,
  type ViTMSNModel,
} from "./vit_msn_model.ts";

/** How {@linkcode loadModel} makes a model, and what its file does not say. */
export interface LoadOptions extends Sidecars {
  /** A head's file, to classify with instead of the model's own classifier. */
  readonly head?: Uint8Array;
  /** The engine; default is {@linkcode simdRuntime}, for files of this project. `./onnxruntime` has others. */
  readonly runtime?: Runtime;
}

/** How {@linkcode createModel} makes a model. */
export interface CreateOptions {
  /** A head to classify with instead of the model's own classifier. */
  readonly head?: HeadFile;
  /** The engine; default is {@linkcode simdRuntime}, for files of this project. `./onnxruntime` has others. */
  readonly runtime?: Runtime;
}

/**
 * Makes a model ready to run.
 *
 * @param bytes an ONNX file of `deno task convert`, which carries config and image processor; or one of
 * another tool, such as optimum, with these documents in `options`. The latter does what its graph does,
 * and needs a `runtime` of onnxruntime-web.
 * @returns a {@linkcode ViTMSNForImageClassification} if the file has a trained classifier.
 * @throws {SyntaxError} if the bytes are not such a file.
 * @throws {TypeError} if a config in it cannot be used, or contradicts the graph.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "./load_model.ts";
 *
 * await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
 * assertEquals(model.config.numHiddenLayers, 6);
 * ```
 */
export async function loadModel(
  bytes: Uint8Array,
  { runtime = simdRuntime(), head, ...sidecars }: LoadOptions = {},
): Promise<ViTMSNModel> {
  return await createModel(readModelFile(bytes, sidecars), {
    runtime,
    ...(head ? { head: readHeadFile(head) } : {}),
  });
}

/**
 * The same of a file that is read already.
 *
 * @throws {TypeError} if the config contradicts the graph, or the head was fitted on another backbone.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readModelFile } from "../vit_msn/model_file.ts";
 * import { createModel } from "./load_model.ts";
 *
 * const file = readModelFile(await Deno.readFile("functions/_shared/model.onnx"));
 * await using model = await createModel(file); // and another one of the same file
 * assertEquals(model.config, file.config);
 * ```
 */
export async function createModel(
  file: ModelFile,
  { runtime = simdRuntime(), head }: CreateOptions = {},
): Promise<ViTMSNModel> {
  const description = head ? withHead(file, head) : file;
  const session = await runtime.createSession(file);
  return modelOf(description, session, readImages);
}

/** What the file would say with that head in it. */
function withHead(file: ModelFile, { head, layerNorm }: HeadFile): ModelDescription {
  const known = file.layerNorm ?? layerNorm;
  const isSame = known.weight.length === layerNorm.weight.length &&
    file.config.hiddenSize === layerNorm.weight.length &&
    known.weight.every((w, d) => w === layerNorm.weight[d]) &&
    known.bias.every((b, d) => b === layerNorm.bias[d]);
  if (!isSame) {
    throw new TypeError("Cannot use the head: it was fitted on another backbone than the model's");
  }
  return {
    ...file,
    config: { ...file.config, id2label: head.settings.labels, problemType: HEAD_TYPE },
    outputs: [...new Set([...file.outputs, "logits"])],
    layerNorm,
    head,
  };
}

const HEAD_TYPE = "single_label_classification" as const;

/**
 * Makes a classifier ready to run; see {@linkcode loadModel}.
 *
 * @throws {TypeError} if the model has no trained classifier: labels would be made up.
 *
 * @example
 * ```ts
 * import { decodeImage } from "../image/decode_image.ts";
 * import { loadClassifier } from "./load_model.ts";
 *
 * await using model = await loadClassifier(await Deno.readFile("functions/_shared/model.onnx"));
 * const image = await decodeImage(await Deno.readFile("test/images/ship.jpg"));
 * const [labels] = await model.classify([image], { topK: 3 });
 * console.log(labels); // [{ label: "ship", score: … }, …]
 * ```
 */
export async function loadClassifier(
  bytes: Uint8Array,
  options: LoadOptions = {},
): Promise<ViTMSNForImageClassification> {
  return await asClassifier(await loadModel(bytes, options));
}

/**
 * The same of a file that is read already.
 *
 * @throws {TypeError} as {@linkcode createModel} and {@linkcode loadClassifier}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readModelFile } from "../vit_msn/model_file.ts";
 * import { createClassifier } from "./load_model.ts";
 *
 * await using model = await createClassifier(
 *   readModelFile(await Deno.readFile("functions/_shared/model.onnx")),
 * );
 * assertEquals(model.config.id2label.length, 10);
 * ```
 */
export async function createClassifier(
  file: ModelFile,
  options: CreateOptions = {},
): Promise<ViTMSNForImageClassification> {
  return await asClassifier(await createModel(file, options));
}

async function asClassifier(model: ViTMSNModel): Promise<ViTMSNForImageClassification> {
  if (model instanceof ViTMSNForImageClassification) return model;
  await model[Symbol.asyncDispose]();
  throw new TypeError(`Cannot classify: ${BACKBONE}`);
}
