import { ImageDecodeError } from "../image/image_decode_error.ts";
import type { DecodeMode } from "../image/decode_options.ts";
import type { ImageDecoder } from "../image/image_decoder.ts";
import { decodeMemory, type ImageHeader } from "../image/image_header.ts";
import { sniffImageFormat } from "../image/formats/image_format.ts";
import type { RawImage } from "../image/raw_image.ts";
import type { VectorIndex } from "../search/vector_index.ts";
import { rowsOf } from "../tensor/rows_of.ts";
import { discard } from "../tensor/memory_pressure.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Admission, Backlog } from "./queue/backlog.ts";
import { timedOut } from "./deadline.ts";
import type { Exchange } from "./exchange.ts";
import { Semaphore } from "./queue/semaphore.ts";
import { InferenceQueue, type InferenceWork } from "./queue/inference_queue.ts";
import type { ServerLimits } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { ModelLoader } from "./model_loader.ts";
import { Problem } from "./problem.ts";
import { fetchRemoteImage, type RemoteImageOptions } from "./request/remote_image.ts";
import { type HeldBody, readBody } from "./request/body.ts";
import { BodyMemory } from "./request/body_memory.ts";
import { shorten } from "./request/validate.ts";
import type { ServedModel } from "./served_model.ts";

/** Options of {@linkcode Service}. */
export interface ServiceOptions {
  /** The model's name for clients. */
  readonly name: string;
  /** The model, or a function that loads it. */
  readonly model: ServedModel | (() => Promise<ServedModel>);
  /** Decodes the images. The caller disposes of it. */
  readonly decoder: ImageDecoder;
  readonly decode: DecodeMode;
  readonly limits: ServerLimits;
  readonly remoteImages: RemoteImageOptions;
  readonly index: VectorIndex | undefined;
}

/**
 * Images in a batch for each thread of the model, so that no thread waits for work. An engine that blocks
 * the event loop gets single images.
 */
const IMAGES_PER_THREAD = 4;

/** What all routes share: the model with its queue, and the limits. */
export class Service {
  readonly name: string;
  readonly limits: ServerLimits;
  readonly loader: ModelLoader;
  readonly metrics: Metrics;
  /** What `POST /search` searches. */
  readonly index: VectorIndex | undefined;
  readonly #decoder: ImageDecoder;
  readonly #decode: DecodeMode;
  readonly #decoding: Semaphore;
  readonly #queue: InferenceQueue;
  readonly #backlog: Backlog;
  readonly #bodies: BodyMemory;
  readonly #remoteImages: RemoteImageOptions;
  /** Single images until the model is loaded and states its concurrency. */
  #maxBatch = 1;

  /** Starts to load the model. */
  constructor({ name, model, decoder, decode, limits, remoteImages, index }: ServiceOptions) {
    this.name = name;
    this.index = index;
    this.limits = limits;
    this.loader = new ModelLoader(model);
    this.#decoder = decoder;
    this.#decode = decode;
    this.#decoding = new Semaphore(decoder.concurrency);
    this.#backlog = new Backlog({ maxImages: limits.maxWaiting, decoders: decoder.concurrency });
    this.#queue = new InferenceQueue({
      maxBatch: () => this.#maxBatch,
      onBatch: (images, milliseconds) => this.#backlog.inferred(images, milliseconds),
    });
    this.#bodies = new BodyMemory(limits.maxUploadBytes);
    this.#remoteImages = remoteImages;
    this.metrics = new Metrics({
      vit_msn_images_waiting: { help: "Images on their way.", value: () => this.#backlog.images },
      vit_msn_body_bytes: { help: "Bytes of bodies in memory.", value: () => this.#bodies.bytes },
      vit_msn_model_ready: {
        help: "Whether the model is loaded.",
        value: () => Number(this.loader.served !== undefined),
      },
      vit_msn_model_info: {
        help: "The model's name, and the SHA-256 of its file once it is loaded.",
        value: () => 1,
        labels: () => ({ name, sha256: this.loader.served?.sha256 ?? "" }),
      },
    });
  }

  /**
   * Checks a model's name in a request.
   *
   * @throws {Problem} 404 if it is another one.
   */
  assertName(given = ""): void {
    if (given === this.name) return;
    throw new Problem(404, `There is no model "${shorten(given)}" here; there is "${this.name}"`);
  }

  /** The model, once it is loaded, or an error at the deadline. */
  async model({ deadline }: Exchange): Promise<ServedModel> {
    const served = await deadline.wait(
      this.loader.get(),
      () => new Problem(503, "The model is being loaded; try again later", { "retry-after": "5" }),
    );
    const { concurrency } = served.model;
    this.#maxBatch = concurrency > 1 ? IMAGES_PER_THREAD * concurrency : 1;
    return served;
  }

  /**
   * Reads a request's body within the limits.
   *
   * @throws {Problem} as {@linkcode readBody} does, and 429 if the time would not suffice for its work.
   */
  async body({ request, deadline }: Exchange): Promise<HeldBody> {
    this.#backlog.assertOpen(deadline.remaining);
    const body = await readBody(request, this.limits, this.#bodies, deadline);
    try {
      this.#backlog.assertOpen(deadline.remaining);
    } catch (error) {
      body[Symbol.dispose]();
      throw error;
    }
    return body;
  }

  /** Fetches an image if its host is allowed. */
  fetchImage({ deadline }: Exchange, url: string): Promise<Uint8Array<ArrayBuffer>> {
    return fetchRemoteImage(url, this.limits.maxBodyBytes, deadline, this.#remoteImages);
  }

  /**
   * Decodes images and runs the model on each.
   *
   * @param look is called with each image's pixels while it is decoded, which are gone afterwards.
   * @returns the results, in the order of the images.
   * @throws {Problem} 415 or 422 if an image cannot be decoded, 429 if too many images are in progress, 503 or 504 if
   * the machine is too busy.
   */
  async infer<R>(
    exchange: Exchange,
    images: readonly Uint8Array<ArrayBuffer>[],
    { model }: ServedModel,
    work: InferenceWork<R>,
    look: (image: RawImage) => void = () => {},
  ): Promise<R[]> {
    const { deadline } = exchange;
    const waiting: WaitingImage[] = await Promise.all(images.map(async (bytes, i) => {
      const name = images.length > 1 ? `image ${i}: ` : "";
      return { bytes, name, header: await this.#readHeader(bytes, name, model) };
    }));
    const pixels = waiting.map(({ header }) => pixelsOf(header));
    using admission = this.#backlog.admit(pixels, images.length, deadline.remaining);
    const room = new Semaphore(this.limits.maxDecodeBytes);
    const results = waiting.map(async (image) => {
      const decode = () => this.#pixelValues(exchange, image, model, admission, look);
      const isAbandoned = () => deadline.isOver;
      const pixelValues = await room.run(decode, isAbandoned, decodeMemory(image.header));
      return await this.#runOne(exchange, work, pixelValues);
    });
    return await deadline.wait(Promise.all(results));
  }

  /** The same for pixel values [B, C, H, W], image by image. */
  async inferPixels<R>(
    exchange: Exchange,
    pixelValues: Tensor<"float32">,
    work: InferenceWork<R>,
  ): Promise<R[]> {
    const { deadline } = exchange;
    const [B, ...shape] = pixelValues.shape as [number, ...number[]];
    using _admission = this.#backlog.admit([], B, deadline.remaining);
    const results = rowsOf(pixelValues).map((data) =>
      this.#runOne(exchange, work, { dtype: "float32", shape: [1, ...shape], data: data.slice() })
    );
    return await deadline.wait(Promise.all(results));
  }

  /** Reads an image's header and checks the memory that its decoding takes, before it is decoded. */
  async #readHeader(
    bytes: Uint8Array,
    name: string,
    { processor }: ServedModel["model"],
  ): Promise<ImageHeader> {
    try {
      const { limits, size } = processor.decodeOptions(this.#decode);
      const header = await this.#decoder.readHeader(bytes, limits, size);
      const { width, height } = header;
      const memory = decodeMemory(header);
      if (memory > this.limits.maxDecodeBytes) {
        throw new ImageDecodeError(
          `Cannot decode the image: its ${width} × ${height} pixels would take ` +
            `${megabytes(memory)} of memory, more than ${megabytes(this.limits.maxDecodeBytes)}; ` +
            "send a smaller one",
        );
      }
      return header;
    } catch (error) {
      throw toProblem(error, bytes, name);
    }
  }

  async #runOne<R>(
    exchange: Exchange,
    work: InferenceWork<R>,
    pixelValues: Tensor<"float32">,
  ): Promise<R> {
    const queued = performance.now();
    const isAbandoned = () => exchange.deadline.isOver;
    const { result, start, time } = await this.#queue.run(work, pixelValues, isAbandoned);
    this.metrics.countImages(1);
    exchange.addTime("wait", start - queued);
    exchange.addTime("inference", time);
    return result;
  }

  async #pixelValues(
    exchange: Exchange,
    { bytes, header, name }: WaitingImage,
    { processor }: ServedModel["model"],
    admission: Admission,
    look: (image: RawImage) => void,
  ): Promise<Tensor<"float32">> {
    // Pixels take much more memory than pixel_values, so few images are decoded at a time.
    return await this.#decoding.run(async () => {
      const begin = performance.now();
      try {
        const image = await this.#decoder.decode(
          bytes,
          processor.decodeOptions(this.#decode),
          header,
        );
        const decoded = performance.now();
        const pixelValues = processor.preprocess([image]);
        look(image);
        discard(image.data);
        exchange.addTime("decode", decoded - begin);
        exchange.addTime("preprocess", performance.now() - decoded);
        return pixelValues;
      } catch (error) {
        throw toProblem(error, bytes, name);
      } finally {
        admission.decoded(pixelsOf(header), performance.now() - begin);
      }
    }, () => exchange.deadline.isOver);
  }
}

/** An image that waits to be decoded. */
interface WaitingImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly header: ImageHeader;
  /** Its name in errors. */
  readonly name: string;
}

/** The error for an image that was not decoded. Only damage of the image is the client's fault. */
function toProblem(error: unknown, bytes: Uint8Array, name: string): Problem {
  if (error instanceof ImageDecodeError) {
    return new Problem(isKnownFormat(bytes) ? 422 : 415, name + error.message);
  }
  if (error instanceof Error && error.name === "TimeoutError") return timedOut();
  return new Problem(503, `${name}The image cannot be decoded now; try again later`, {
    "retry-after": "1",
  }, { cause: error });
}

function pixelsOf({ width, height }: ImageHeader): number {
  return width * height;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

function isKnownFormat(bytes: Uint8Array): boolean {
  try {
    sniffImageFormat(bytes);
    return true;
  } catch {
    return false;
  }
}
