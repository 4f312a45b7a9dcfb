import {
  type Classification,
  type ClassificationOptions,
  toClassifications,
} from "./heads/classification.ts";
import { pool, type Pooling } from "./heads/pool.ts";
import type { Image } from "./image/image.ts";
import { ViTImageProcessor } from "./preprocess/vit_image_processor.ts";
import { onnxruntimeWasm } from "./runtime/onnxruntime_wasm.ts";
import type { Runtime, Session } from "./runtime/runtime.ts";
import { l2Normalize } from "./tensor/l2_normalize.ts";
import { assertDataType, elementCount, type Tensor } from "./tensor/tensor.ts";
import type { ViTMSNConfig } from "./vit_msn/config.ts";
import { type ModelFile, readModelFile } from "./vit_msn/model_file.ts";

/** How {@linkcode ViTMSN.embed} makes an image's embedding. */
export interface EmbedOptions {
  /** Default `cls`. */
  readonly pool?: Pooling;
  /** Whether to scale every vector to length 1; default no. */
  readonly normalize?: boolean;
}

/** A ViT-MSN that is ready to run; {@linkcode loadModel} makes one. */
export class ViTMSN implements AsyncDisposable {
  /** The model's settings and its labels. */
  readonly config: ViTMSNConfig;
  /** Makes `pixel_values` of pictures, as the model was trained on them. */
  readonly processor: ViTImageProcessor;
  /** What {@linkcode forward} can return. */
  readonly outputs: readonly string[];
  readonly #session: Session;

  /** Use {@linkcode loadModel}. */
  constructor(file: ModelFile, session: Session) {
    this.config = file.config;
    this.processor = new ViTImageProcessor(file.preprocessorConfig);
    this.outputs = file.outputs;
    this.#session = session;
  }

  /**
   * Names what is on pictures.
   *
   * @returns the labels of each image, best first.
   * @throws {TypeError} if the model has no trained classifier.
   */
  async classify(
    images: readonly Image[],
    options: ClassificationOptions = {},
  ): Promise<Classification[][]> {
    this.assertClassifier();
    const { data, shape: [, K] } = await this.#forwardOne(images, "logits");
    return images.map((_, b) =>
      toClassifications(data.subarray(b * K!, (b + 1) * K!), this.config, options)
    );
  }

  /**
   * Computes the embeddings of pictures from `last_hidden_state`.
   *
   * @returns the vectors of each image: one of D numbers, or T with `pool: "none"`.
   */
  async embed(
    images: readonly Image[],
    { pool: pooling = "cls", normalize = false }: EmbedOptions = {},
  ): Promise<Float32Array[][]> {
    const { data, shape: [, T, D] } = await this.#forwardOne(images, "last_hidden_state");
    return images.map((_, b) => {
      const vectors = pool(data.subarray(b * T! * D!, (b + 1) * T! * D!), D!, pooling);
      return normalize ? vectors.map(l2Normalize) : vectors;
    });
  }

  /**
   * Runs the graph on prepared pixels.
   *
   * @param pixelValues float32 [B, C, H, W], B at least 1, the rest as the config says.
   * @param outputs some of {@linkcode ViTMSN.outputs}.
   * @throws {TypeError} if the pixels have another type.
   * @throws {RangeError} if they have another shape, or there is no such output.
   */
  async forward(
    pixelValues: Tensor,
    outputs: readonly string[] = this.outputs,
  ): Promise<ReadonlyMap<string, Tensor>> {
    assertDataType(pixelValues, "float32", "pixel_values");
    this.#assertShape(pixelValues.shape);
    if (pixelValues.data.length !== elementCount(pixelValues.shape)) {
      throw new RangeError(
        `Cannot run the model: ${pixelValues.data.length} numbers are not [${pixelValues.shape}]`,
      );
    }
    const unknown = outputs.find((name) => !this.outputs.includes(name));
    if (unknown !== undefined || outputs.length === 0) {
      throw new RangeError(
        `Cannot compute the output "${unknown ?? ""}": the model has ${this.outputs.join(", ")}`,
      );
    }
    return await this.#session.run(new Map([["pixel_values", pixelValues]]), outputs);
  }

  /**
   * Makes sure that the model can name labels.
   *
   * @throws {TypeError} if it has no trained classifier: labels would be made up.
   */
  assertClassifier(): void {
    if (!this.outputs.includes("logits")) {
      throw new TypeError(
        "Cannot classify: the model is a backbone without a trained classifier, " +
          "though its config may name labels; it computes embeddings: " +
          "fit a head, or convert a checkpoint that has one",
      );
    }
  }

  /** Frees the memory of the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }

  async #forwardOne(images: readonly Image[], output: string): Promise<Tensor<"float32">> {
    const results = await this.forward(this.processor.preprocess(images), [output]);
    return results.get(output) as Tensor<"float32">;
  }

  /** The messages are Hugging Face's. */
  #assertShape(shape: readonly number[]): void {
    const { numChannels, imageSize } = this.config;
    const [batch, channels, height, width] = shape;
    if (shape.length !== 4 || batch === 0) {
      throw new RangeError(
        `Cannot run the model: pixel_values is [${shape}], not [batch, channels, height, width]`,
      );
    }
    if (channels !== numChannels) {
      throw new RangeError(
        "Make sure that the channel dimension of the pixel values match with the one set in the " +
          `configuration. Expected ${numChannels} but got ${channels}.`,
      );
    }
    if (height !== imageSize[0] || width !== imageSize[1]) {
      throw new RangeError(
        `Input image size (${height}*${width}) doesn't match model (${imageSize[0]}*${
          imageSize[1]
        }).`,
      );
    }
  }
}

/**
 * Makes a model ready to run.
 *
 * @param bytes an ONNX file of `deno task convert`, which carries config and image processor.
 * @param runtime the engine; default is onnxruntime-web on WebAssembly.
 * @throws {SyntaxError} if the bytes are not such a file.
 * @throws {TypeError} if a config in it cannot be used.
 *
 * @example
 * ```ts
 * import { decodeImage } from "./image/decode_image.ts";
 * import { loadModel } from "./model.ts";
 *
 * await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
 * const image = await decodeImage(await Deno.readFile("test/images/ship.jpg"));
 * const [labels] = await model.classify([image], { topK: 3 });
 * console.log(labels); // [{ label: "ship", score: … }, …]
 * ```
 */
export async function loadModel(
  bytes: Uint8Array,
  runtime: Runtime = onnxruntimeWasm,
): Promise<ViTMSN> {
  const file = readModelFile(bytes);
  return new ViTMSN(file, await runtime.createSession(bytes));
}
