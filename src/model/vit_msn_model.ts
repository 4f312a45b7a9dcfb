import {
  type Classification,
  type ClassificationOptions,
  toClassifications,
} from "./outputs/classification.ts";
import { toFeature } from "../heads/feature.ts";
import { Head } from "../heads/head.ts";
import { computeLoss, problemTypeOf } from "./outputs/loss.ts";
import { pool, type Pooling } from "./outputs/pool.ts";
import type { PretrainedOptions } from "./pretrained/pretrained_options.ts";
import type { ImageSource, ImageSourceOptions } from "../image/image_source.ts";
import type { RawImage } from "../image/raw_image.ts";
import { ViTImageProcessor } from "../preprocess/vit_image_processor.ts";
import { DrainingSession } from "../runtime/draining_session.ts";
import type { RunOptions, Session } from "../runtime/runtime.ts";
import { l2Normalize } from "../tensor/l2_normalize.ts";
import { rowsOf } from "../tensor/rows_of.ts";
import { stackRows } from "../tensor/stack_rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "../vit_msn/config.ts";
import { checkInputs, type ForwardInputs } from "../vit_msn/forward_inputs.ts";
import { OUTPUT_NAMES, type OutputName } from "../vit_msn/graph.ts";
import type { LayerNormWeights } from "../vit_msn/layer_norm.ts";
import type { ModelDescription } from "../vit_msn/model_file.ts";
import { choosePatches, type KeepOptions } from "../vit_msn/patch_dropping.ts";

/** How {@linkcode ViTMSNModel.forward} runs. */
export interface ForwardOptions {
  /**
   * What to compute, and nothing else. Default is `last_hidden_state`, with a classifier `logits`, and
   * with labels `loss`.
   */
  readonly outputs?: readonly (OutputName | "loss")[];
  /** Whether images may have another size than the config's; positions are interpolated for them. */
  readonly interpolatePosEncoding?: boolean;
}

/**
 * One or several images in any form, or the `pixel_values` [B, C, H, W] that a model's `processor` made of
 * them. To keep many images waiting, keep `pixel_values`: they have the model's size.
 */
export type ImageInput = ImageSource | readonly ImageSource[] | Tensor<"float32">;

/** How a model reads images, and which of their patches it computes. */
export interface ImageInputOptions extends KeepOptions, Omit<ImageSourceOptions, "size"> {}

/** Makes `pixel_values` [B, C, H, W] of images for a model. */
export type ReadImages = (
  images: readonly ImageSource[],
  processor: ViTImageProcessor,
  options: ImageInputOptions,
) => Tensor<"float32"> | Promise<Tensor<"float32">>;

/** How {@linkcode ViTMSNModel.embed} makes an image's embedding. */
export interface EmbedOptions extends ImageInputOptions {
  /** Default `cls`. */
  readonly pool?: Pooling;
  /** Whether to scale every vector to length 1; default no. */
  readonly normalize?: boolean;
}

/** How {@linkcode ViTMSNForImageClassification.classify} reads images and chooses labels. */
export interface ClassifyOptions extends ClassificationOptions, ImageInputOptions {}

/**
 * A ViT-MSN backbone that is ready to run; `fromPretrained` and `loadModel` make one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ViTMSNModel } from "./vit_msn_model.ts";
 *
 * await using model = await ViTMSNModel.fromPretrained("functions/_shared/model.onnx");
 * const photos = [await Deno.readFile("test/images/ship.jpg"), await Deno.readFile("test/images/dog.jpg")];
 * assertEquals((await model.embed(photos)).shape, [2, 192]);
 * ```
 */
export class ViTMSNModel implements AsyncDisposable {
  /** The model's settings and its labels. */
  readonly config: ViTMSNConfig;
  /** Makes `pixel_values` of images, as the model was trained on them. */
  readonly processor: ViTImageProcessor;
  /** What {@linkcode forward} computes if it is not told what. */
  readonly defaultOutputs: readonly OutputName[];
  /**
   * How many images of a batch the engine computes at a time, off the caller's thread: its threads. With
   * 1, it blocks the event loop while it computes.
   */
  readonly concurrency: number;
  /** The head that was fitted on features, if that is the classifier. */
  readonly head?: Head;
  readonly #layerNorm: LayerNormWeights | undefined;
  readonly #session: DrainingSession;
  readonly #readImages: ReadImages;

  /**
   * Use `fromPretrained` or `loadModel`.
   *
   * @param readImages by default, the model takes decoded images and `pixel_values` only. A service that
   * decodes images by itself has no use for more.
   */
  constructor(file: ModelDescription, session: Session, readImages: ReadImages = takeDecoded) {
    this.config = file.config;
    this.defaultOutputs = OUTPUT_NAMES.filter((name) => file.outputs.includes(name));
    this.processor = new ViTImageProcessor(file.preprocessorConfig);
    if (file.head) this.head = new Head(file.head);
    this.#layerNorm = file.layerNorm;
    this.#session = new DrainingSession(session);
    this.#readImages = readImages;
    this.concurrency = this.#session.concurrency;
  }

  /**
   * Gets a model from the Hugging Face hub, a server or this machine, and makes it ready to run.
   *
   * What is used of a repository or a folder, the first of: this project's ONNX file (`model.onnx`, or for
   * `dtype` `f16` and `int8` `model_f16.onnx` and `model_int8.onnx`); a checkpoint (`config.json` with
   * `model.safetensors`, its shards or `pytorch_model.bin`), which is converted; an ONNX file of
   * transformers.js or optimum (`onnx/model.onnx`, …), which needs onnxruntime as `runtime`. A checkpoint
   * without `preprocessor_config.json` gets ImageNet's mean and standard deviation.
   *
   * A repository is downloaded once: in Node.js, Deno and Bun into the folder of the command line's models,
   * in browsers and Workers into a `Cache`. It is never refreshed, even if its branch moves.
   *
   * @param source `org/name` or `org/name@revision` on the hub; the `https:` address of an ONNX file, a
   * weights file or a folder; or the path of one of these. A path that exists comes first.
   * @returns with `ViTMSNForImageClassification` a classifier, with `ViTMSNModel` either.
   * @throws {Error} named `DownloadError` if a download fails; the message names the file, the repository and
   * the revision, and `MissingFileError` if there is no such model.
   * @throws {SyntaxError} if a file is damaged.
   * @throws {TypeError} if an option does not fit the source, or the model has no trained classifier and a
   * classifier is asked for: labels would be made up.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { ViTMSNForImageClassification } from "./vit_msn_model.ts";
   *
   * const path = "functions/_shared/model.onnx"; // or "org/name", or "https://…/model.onnx"
   * await using model = await ViTMSNForImageClassification.fromPretrained(path);
   * assertEquals(model.config.id2label.includes("ship"), true);
   * ```
   */
  static async fromPretrained<Model extends ViTMSNModel>(
    this: new (file: ModelDescription, session: Session) => Model,
    source: string | URL,
    options: PretrainedOptions = {},
  ): Promise<Model> {
    const { fromPretrained } = await import("./pretrained/from_pretrained.ts");
    return await fromPretrained(this, source, options);
  }

  /**
   * Computes the embeddings of images from `last_hidden_state`.
   *
   * @returns [B, D]; B is 1 for a single image.
   * @throws {RangeError} if there are no images, or `keepPatches` or `seed` is out of range.
   * @throws {ImageDecodeError} if an image cannot be decoded; see {@linkcode toRawImage}.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "./load_model.ts";
   *
   * await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
   * const photo = await Deno.readFile("test/images/ship.jpg");
   * const { shape, data } = await model.embed(photo, { normalize: true });
   * assertEquals([shape, data.length], [[1, 192], 192]);
   * ```
   */
  async embed(
    images: ImageInput,
    { pool: pooling = "cls", normalize = false, ...options }: EmbedOptions = {},
  ): Promise<Tensor<"float32">> {
    const onlyCls = pooling === "cls";
    const tokens = await this.forwardImages(images, LAST_HIDDEN_STATE, { ...options, onlyCls });
    const vectors = rowsOf(tokens).map((row) => pool(row, tokens.shape[2]!, pooling));
    return stackRows(normalize ? vectors.map(l2Normalize) : vectors);
  }

  /**
   * Computes the tokens of images, their `last_hidden_state`: CLS, then a token for each patch that is kept.
   *
   * @returns [B, T, D]; B is 1 for a single image.
   * @throws {RangeError} as {@linkcode embed}.
   * @throws {ImageDecodeError} as {@linkcode embed}.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadModel } from "./load_model.ts";
   *
   * await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
   * const { shape } = await model.embedTokens(await Deno.readFile("test/images/ship.jpg"));
   * assertEquals(shape, [1, 65, 192]); // CLS, and 8 × 8 patches
   * ```
   */
  async embedTokens(
    images: ImageInput,
    options: ImageInputOptions = {},
  ): Promise<Tensor<"float32">> {
    return await this.forwardImages(images, LAST_HIDDEN_STATE, options);
  }

  /**
   * Computes the features of images on which heads are fitted, as in the evaluation of the MSN paper:
   * the CLS token before the final LayerNorm, minus its own mean, divided by its length.
   *
   * @returns [B, D], rows of length 1; B is 1 for a single image.
   * @throws {TypeError} if the model's file does not say what its final LayerNorm is: another tool made it.
   * @throws {RangeError} as {@linkcode embed}.
   * @throws {ImageDecodeError} as {@linkcode embed}.
   */
  async features(
    images: ImageInput,
    options: ImageInputOptions = {},
  ): Promise<Tensor<"float32">> {
    const layerNorm = this.#layerNorm;
    if (!layerNorm) throw new TypeError(NO_LAYER_NORM);
    const vectors = rowsOf(await this.embed(images, options));
    return stackRows(vectors.map((cls) => toFeature(cls, layerNorm)));
  }

  /**
   * Runs the model on tensors, as the `forward` of Hugging Face does.
   *
   * With onnxruntime-web, the plain forward runs the graph in the file. Anything else, such as `attentions`
   * or a mask, runs a graph that is made of the same weights when it is first asked for.
   *
   * @returns the outputs by name: `last_hidden_state` [B, T, D]; `hidden_states` [L + 1, B, T, D], the
   * embeddings and then each block's, the last one before the final LayerNorm; `attentions`
   * [L, B, heads, T, T]; `logits` [B, K]; `loss` [1].
   * @throws {TypeError} if an input has another type, or the model lacks what an input or output needs.
   * @throws {RangeError} if an input has another shape or values out of range, or there is no such output.
   */
  async forward(
    inputs: ForwardInputs,
    options: ForwardOptions = {},
  ): Promise<ReadonlyMap<string, Tensor>> {
    return await this.#forward(inputs, options);
  }

  async #forward(
    inputs: ForwardInputs,
    { outputs, interpolatePosEncoding = false, onlyCls = false }: ForwardOptions & RunOptions,
  ): Promise<ReadonlyMap<string, Tensor>> {
    const feeds = checkInputs(inputs, this.config, interpolatePosEncoding);
    const wanted = outputs ??
      [...this.defaultOutputs, ...(inputs.labels && this.#canClassify ? ["loss" as const] : [])];
    this.#assertOutputs(wanted, inputs);
    if (inputs.labels && wanted.includes("loss")) {
      const { id2label, problemType } = this.config;
      problemTypeOf(inputs.labels, inputs.pixel_values.shape[0]!, id2label.length, problemType);
    }
    const needed = wanted.map((name) => name === "loss" ? "logits" : name);
    // A head computes the logits of what the engine gives.
    const computed = [
      ...new Set(needed.map((name) => name === "logits" && this.head ? LAST_HIDDEN_STATE : name)),
    ];
    const results = await this.#session.run(feeds, computed, {
      onlyCls: onlyCls || !wanted.includes(LAST_HIDDEN_STATE),
    });
    const available = this.head && needed.includes("logits")
      ? new Map([...results, ["logits", this.#headLogits(this.head, results)]])
      : results;
    return new Map(wanted.map((name) => [name, this.#output(name, available, inputs.labels)]));
  }

  /** [B, K] of `last_hidden_state` [B, T, D]. */
  #headLogits(head: Head, results: ReadonlyMap<string, Tensor>): Tensor<"float32"> {
    const tokens = results.get(LAST_HIDDEN_STATE) as Tensor<"float32">;
    const features = rowsOf(tokens).map((row) =>
      toFeature(row.subarray(0, tokens.shape[2]), this.#layerNorm!)
    );
    return stackRows(head.logits(features));
  }

  /** Frees the memory of the model. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  /** One output for images. */
  protected async forwardImages(
    images: ImageInput,
    output: OutputName,
    { onlyCls = false, ...options }: ImageInputOptions & RunOptions,
  ): Promise<Tensor<"float32">> {
    const pixel_values = isTensor(images)
      ? images
      : await this.#readImages([images].flat() as ImageSource[], this.processor, options);
    const kept = this.#keptPatches(pixel_values.shape[0]!, options);
    const inputs = { pixel_values, ...(kept ? { kept_patches: kept } : {}) };
    const results = await this.#forward(inputs, { outputs: [output], onlyCls });
    return results.get(output) as Tensor<"float32">;
  }

  /** int64 [B, K], the same patches of each image; nothing if all are kept. */
  #keptPatches(batch: number, keep: KeepOptions): Tensor<"int64"> | undefined {
    const [rows, columns] = patchGrid(this.config);
    const patches = choosePatches(rows * columns, keep);
    if (patches.length === rows * columns) return undefined;
    const data = BigInt64Array.from(Array(batch).fill(patches).flat(), BigInt);
    return { dtype: "int64", shape: [batch, patches.length], data };
  }

  get #canClassify(): boolean {
    return this.defaultOutputs.includes("logits");
  }

  #assertOutputs(outputs: readonly string[], { labels }: ForwardInputs): void {
    if (outputs.length === 0) throw new RangeError("Cannot run the model: no output is asked for");
    const known: readonly string[] = [...OUTPUT_NAMES, "loss"];
    const unknown = outputs.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new RangeError(`Cannot compute the output "${unknown}": there are ${known.join(", ")}`);
    }
    const ofClassifier = outputs.find((name) => name === "logits" || name === "loss");
    if (ofClassifier && !this.#canClassify) {
      throw new TypeError(`Cannot compute ${ofClassifier}: ${BACKBONE}`);
    }
    if (outputs.includes("loss") && !labels) {
      throw new TypeError("Cannot compute loss: there is no input labels");
    }
  }

  #output(name: string, results: ReadonlyMap<string, Tensor>, labels: Tensor | undefined): Tensor {
    if (name !== "loss") return results.get(name)!;
    const logits = results.get("logits") as Tensor<"float32">;
    const loss = computeLoss(logits, labels!, this.config.problemType);
    return { dtype: "float32", shape: [1], data: Float32Array.of(loss) };
  }
}

const LAST_HIDDEN_STATE = "last_hidden_state";

/** Why a model without a classifier cannot classify, and what to do about it. */
export const BACKBONE: string =
  "the model is a backbone without a trained classifier, though its config may name labels; " +
  "`deno task fit PHOTOS --model MODEL --out FILE.onnx` fits one on a folder of photos for each class";

const NO_LAYER_NORM =
  "Cannot compute features: another tool made the model's file, and its final LayerNorm is not known; " +
  "`deno task convert` makes one of the checkpoint";

/**
 * A ViT-MSN with a trained classifier; `fromPretrained` and `loadModel` make one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ViTMSNForImageClassification } from "./vit_msn_model.ts";
 *
 * const path = "functions/_shared/model.onnx";
 * await using model = await ViTMSNForImageClassification.fromPretrained(path);
 * const [best] = await model.classify(await Deno.readFile("test/images/dog.jpg"), { topK: 1 });
 * assertEquals(best?.label, "dog");
 * ```
 */
export class ViTMSNForImageClassification extends ViTMSNModel {
  /**
   * Names what is on images.
   *
   * @param image a single image in any form.
   * @returns its labels, best first; with `unknown`, see {@linkcode Head.predict}. For a list of images or
   * `pixel_values`, the labels of each.
   * @throws {TypeError} if `unknown` is asked for and the classifier cannot tell.
   * @throws {RangeError} if there are no images, or an option is out of range.
   * @throws {ImageDecodeError} if an image cannot be decoded; see {@linkcode toRawImage}.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { loadClassifier } from "./load_model.ts";
   *
   * await using model = await loadClassifier(await Deno.readFile("functions/_shared/model.onnx"));
   * const [best] = await model.classify(await Deno.readFile("test/images/ship.jpg"));
   * assertEquals(best?.label, "ship");
   * ```
   */
  async classify(image: ImageSource, options?: ClassifyOptions): Promise<Classification[]>;
  /** Names what is on each image of a list, or of `pixel_values` [B, C, H, W]. */
  async classify(
    images: readonly ImageSource[] | Tensor<"float32">,
    options?: ClassifyOptions,
  ): Promise<Classification[][]>;
  async classify(
    images: ImageInput,
    options: ClassifyOptions = {},
  ): Promise<Classification[] | Classification[][]> {
    if (options.unknown && !this.head) {
      throw new TypeError(
        "Cannot tell unknown images: the classifier is no head of `deno task fit`",
      );
    }
    const labels = this.head
      ? this.head.predict(await this.features(images, options), options)
      : rowsOf(await this.forwardImages(images, "logits", options))
        .map((row) => toClassifications(row, this.config, options));
    return Array.isArray(images) || isTensor(images) ? labels : labels[0]!;
  }
}

/** A model of that description on a session: a {@linkcode ViTMSNForImageClassification} if it has a classifier. */
export function modelOf(
  description: ModelDescription,
  session: Session,
  readImages?: ReadImages,
): ViTMSNModel {
  const Model = description.outputs.includes("logits") ? ViTMSNForImageClassification : ViTMSNModel;
  return new Model(description, session, readImages);
}

const takeDecoded: ReadImages = (images, processor) =>
  processor.preprocess(images as readonly RawImage[]);

function isTensor(images: ImageInput): images is Tensor<"float32"> {
  return (images as Tensor).dtype !== undefined;
}
