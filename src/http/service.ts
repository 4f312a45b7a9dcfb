import { ImageDecodeError } from "../image/image_decode_error.ts";
import type { ImageDecoder } from "../image/image_decoder.ts";
import { sniffImageFormat } from "../image/image_format.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Deadline } from "./deadline.ts";
import { Gate } from "./gate.ts";
import { InferenceQueue, type InferenceWork } from "./inference_queue.ts";
import type { Limits } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { ModelLoader, type ServedModel } from "./model_loader.ts";
import { Problem } from "./problem.ts";
import { fetchRemoteImage, type RemoteImageOptions } from "./remote_image.ts";
import { BodyMemory, type HeldBody, readBody } from "./request_body.ts";

/** What a service is made of. */
export interface ServiceOptions {
  /** The model's name towards clients. */
  readonly name: string;
  /** The model, or what makes it ready. */
  readonly model: ServedModel | (() => Promise<ServedModel>);
  /** Decodes the images. Whoever made it disposes of it. */
  readonly decoder: ImageDecoder;
  /** How many images it decodes at a time: that many are in memory as pixels. */
  readonly decoders: number;
  readonly limits: Limits;
  readonly remoteImages: RemoteImageOptions;
}

/** Times of a request's parts in milliseconds, by their names in `Server-Timing`. */
export type Timings = Map<"decode" | "preprocess" | "wait" | "inference", number>;

/**
 * Images that are handed to the model together, for each of its threads, so that none waits for work. An
 * engine that blocks the event loop gets them one by one.
 */
const IMAGES_PER_THREAD = 4;

/** What the routes have in common: the model behind its queue, and all that guards it. */
export class Service {
  readonly name: string;
  readonly limits: Limits;
  readonly loader: ModelLoader;
  readonly metrics: Metrics;
  readonly #decoder: ImageDecoder;
  readonly #decoding: Gate;
  readonly #queue: InferenceQueue;
  readonly #bodies: BodyMemory;
  readonly #remoteImages: RemoteImageOptions;
  /** One image at a time, until the model is there and says that it takes several. */
  #maxBatch = 1;

  /** Begins to load the model. */
  constructor({ name, model, decoder, decoders, limits, remoteImages }: ServiceOptions) {
    this.name = name;
    this.limits = limits;
    this.loader = new ModelLoader(model);
    this.#decoder = decoder;
    this.#decoding = new Gate(decoders);
    this.#queue = new InferenceQueue({
      maxImages: limits.maxWaiting,
      maxBatch: () => this.#maxBatch,
    });
    this.#bodies = new BodyMemory(limits.maxUploadBytes);
    this.#remoteImages = remoteImages;
    this.metrics = new Metrics({
      vit_msn_images_waiting: { help: "Images on their way.", value: () => this.#queue.images },
      vit_msn_body_bytes: { help: "Bytes of bodies in memory.", value: () => this.#bodies.bytes },
      vit_msn_model_ready: {
        help: "Whether the model is loaded.",
        value: () => Number(this.loader.isReady),
      },
    });
  }

  /** The model, when it is there; a request waits for it no longer than its deadline. */
  async model(deadline: Deadline): Promise<ServedModel> {
    const served = await deadline.wait(
      this.loader.get(),
      () => new Problem(503, "The model is being loaded; try again later", { "retry-after": "5" }),
    );
    const { concurrency } = served.model;
    this.#maxBatch = concurrency > 1 ? IMAGES_PER_THREAD * concurrency : 1;
    return served;
  }

  /** Reads a request's body within the limits. */
  async body(request: Request, deadline: Deadline): Promise<HeldBody> {
    return await readBody(request, this.limits.maxBodyBytes, this.#bodies, deadline);
  }

  /** Fetches an image, if that is allowed. */
  fetchImage(url: string, deadline: Deadline): Promise<Uint8Array<ArrayBuffer>> {
    return fetchRemoteImage(url, this.limits.maxBodyBytes, deadline, this.#remoteImages);
  }

  /**
   * Decodes images and runs the model on each.
   *
   * @param timings get the times of this request's parts.
   * @returns the results, in the order of the images.
   * @throws {Problem} 415 or 422 if an image cannot be decoded, 429 if too many are on their way, 504 if it
   * takes too long.
   */
  async infer<R>(
    images: readonly Uint8Array<ArrayBuffer>[],
    { model }: ServedModel,
    work: InferenceWork<R>,
    deadline: Deadline,
    timings: Timings,
  ): Promise<R[]> {
    using _admitted = this.#queue.admit(images.length);
    const results = images.map(async (bytes, i) => {
      const pixelValues = await this.#pixelValues(
        bytes,
        i,
        images.length,
        model,
        deadline,
        timings,
      );
      return await this.#runOne(work, pixelValues, deadline, timings);
    });
    return await deadline.wait(Promise.all(results));
  }

  /** The same for pixel values [B, C, H, W], image by image. */
  async inferPixels<R>(
    pixelValues: Tensor<"float32">,
    work: InferenceWork<R>,
    deadline: Deadline,
    timings: Timings,
  ): Promise<R[]> {
    const [B, ...shape] = pixelValues.shape as [number, ...number[]];
    using _admitted = this.#queue.admit(B);
    const size = pixelValues.data.length / B;
    const results = Array.from({ length: B }, (_, b) => {
      const data = pixelValues.data.slice(b * size, (b + 1) * size);
      return this.#runOne(
        work,
        { dtype: "float32", shape: [1, ...shape], data },
        deadline,
        timings,
      );
    });
    return await deadline.wait(Promise.all(results));
  }

  async #runOne<R>(
    work: InferenceWork<R>,
    pixelValues: Tensor<"float32">,
    deadline: Deadline,
    timings: Timings,
  ): Promise<R> {
    const queued = performance.now();
    const { result, start, time } = await this.#queue.run(work, pixelValues, () => deadline.isOver);
    this.metrics.countImages(1);
    add(timings, "wait", start - queued);
    add(timings, "inference", time);
    return result;
  }

  async #pixelValues(
    bytes: Uint8Array<ArrayBuffer>,
    index: number,
    count: number,
    { processor }: ServedModel["model"],
    deadline: Deadline,
    timings: Timings,
  ): Promise<Tensor<"float32">> {
    // Pixels take much more memory than what is made of them: few images have them at a time.
    return await this.#decoding.pass(async () => {
      const begin = performance.now();
      try {
        const image = await this.#decoder.decode(bytes);
        const decoded = performance.now();
        const pixelValues = processor.preprocess([image]);
        add(timings, "decode", decoded - begin);
        add(timings, "preprocess", performance.now() - decoded);
        return pixelValues;
      } catch (error) {
        if (!(error instanceof ImageDecodeError)) throw error;
        const name = count > 1 ? `image ${index}: ` : "";
        throw new Problem(isKnownFormat(bytes) ? 422 : 415, name + error.message);
      }
    }, () => deadline.isOver);
  }
}

function isKnownFormat(bytes: Uint8Array): boolean {
  try {
    sniffImageFormat(bytes);
    return true;
  } catch {
    return false;
  }
}

function add(timings: Timings, name: "decode" | "preprocess" | "wait" | "inference", ms: number) {
  timings.set(name, (timings.get(name) ?? 0) + ms);
}
