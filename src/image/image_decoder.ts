import { canStartWorkers, nodeWorker } from "../host/node_worker.ts";
import { processors } from "../host/processors.ts";
import { assertDecodeOptions, type DecodeOptions } from "./decode_options.ts";
import type { DecodeReply, DecodeRequest } from "./decode_worker.ts";
import type { RawImage } from "./raw_image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import type { ImageHeader, ImageLimits } from "./image_header.ts";

/** Options of an {@linkcode ImageDecoder}. */
export interface ImageDecoderOptions {
  /**
   * The number of workers, each of which decodes one image at a time; default: the number of cores.
   * With 0, or on a host without workers, images are decoded in the caller's thread, one at a time
   * and without a deadline.
   */
  readonly workers?: number;
  /**
   * While no worker runs, an image of at most this many pixels is decoded in the caller's thread; the
   * workers start soon after. Starting a worker blocks the caller for longer than a small image takes.
   * Default 0: images always go to workers.
   */
  readonly pixelsBeforeWorkers?: number;
  /** The deadline for one image in milliseconds; default 10,000. `Infinity` disables it. */
  readonly timeout?: number;
  /**
   * Starts a worker that runs `decode_worker.ts`; for bundles, where that module has another address.
   */
  readonly createWorker?: () => Worker;
}

/** An image in the queue. */
interface Job {
  readonly request: DecodeRequest;
  readonly resolve: (image: RawImage) => void;
  readonly reject: (error: Error) => void;
}

/** About three times the time of the slowest image within the default limits. */
const DEFAULT_TIMEOUT = 10_000;

/** The time to read a reply that has already arrived, in milliseconds. */
const GRACE = 10;

/** The delay after the first image decoded without workers, in milliseconds: its response goes first. */
const START_DELAY = 500;

/** The longest delay of `setTimeout`. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * Decodes images in a pool of workers, so that the caller's thread stays free and each image has a
 * deadline. A worker that misses the deadline is terminated and replaced. Idle workers keep the process
 * alive until the decoder is disposed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ImageDecoder } from "./image_decoder.ts";
 *
 * using decoder = new ImageDecoder({ workers: 1, timeout: 5000 });
 * const gif = Uint8Array.fromBase64("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=");
 * assertEquals((await decoder.decode(gif)).width, 1);
 * ```
 */
export class ImageDecoder implements Disposable {
  readonly #maxWorkers: number;
  readonly #pixelsBeforeWorkers: number;
  readonly #timeout: number;
  readonly #createWorker: () => Worker;
  readonly #queue: Job[] = [];
  readonly #idle: Worker[] = [];
  /** The workers that are decoding, each with a function that fails its image. */
  readonly #busy = new Map<Worker, (error: Error) => void>();
  /** The headers read here, each with its file and the limits that it has passed. */
  readonly #headers = new WeakMap<ImageHeader, readonly [Uint8Array, ImageLimits | undefined]>();
  #disposed = false;
  /** Starts the workers after images were decoded without them. */
  #startTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Creates a decoder. Workers start on demand.
   *
   * @throws {RangeError} if `workers` is not an integer of at least 0, or `timeout` is neither above 0
   * and up to 2³¹ − 1 nor `Infinity`.
   */
  constructor(
    {
      workers = processors(),
      pixelsBeforeWorkers = 0,
      timeout = DEFAULT_TIMEOUT,
      createWorker = createDecodeWorker,
    }: ImageDecoderOptions = {},
  ) {
    if (!Number.isSafeInteger(workers) || workers < 0) {
      throw new RangeError(
        `Cannot make an image decoder: workers is ${workers}, not an integer of at least 0`,
      );
    }
    if (!(timeout > 0 && timeout <= MAX_TIMEOUT || timeout === Infinity)) {
      throw new RangeError(
        `Cannot make an image decoder: timeout is ${timeout}, not above 0 and up to ${MAX_TIMEOUT}`,
      );
    }
    this.#maxWorkers = canStartWorkers() ? workers : 0;
    this.#pixelsBeforeWorkers = this.#maxWorkers > 0 ? pixelsBeforeWorkers : Infinity;
    this.#timeout = timeout;
    this.#createWorker = createWorker;
  }

  /** How many images it decodes at a time; more wait. */
  get concurrency(): number {
    return Math.max(1, this.#maxWorkers);
  }

  /**
   * Decodes an image with the same result as `decodeImage`. Images start in the order of the calls.
   *
   * @param header what {@linkcode readHeader} of this decoder gave for these bytes and limits, so that it
   * is not read again. A header from anywhere else is not trusted: it is ignored.
   * @throws {ImageDecodeError} if it cannot be decoded.
   * @throws {DOMException} `TimeoutError` if it took too long, be it the image or a busy machine.
   * @throws {TypeError} if only one of `decode: "fast"` and `size` is given.
   * @throws {Error} if the decoder is disposed or its worker fails.
   */
  async decode(
    bytes: Uint8Array,
    options: DecodeOptions = {},
    header?: ImageHeader,
  ): Promise<RawImage> {
    if (this.#disposed) throw disposedError();
    assertDecodeOptions(options);
    const [file, limits] = header && this.#headers.get(header) || [];
    if (file !== bytes || limits !== options.limits) header = undefined;
    if (this.#pixelsBeforeWorkers > 0 && this.#idle.length + this.#busy.size === 0) {
      header ??= await this.readHeader(bytes, options.limits);
      if (header.width * header.height <= this.#pixelsBeforeWorkers) {
        if (this.#maxWorkers > 0) {
          this.#startTimer ??= setTimeout(() => this.#start(), START_DELAY);
        }
        const { decodeWithHeader } = await import("./decode_image.ts");
        return await decodeWithHeader(bytes, header, options);
      }
    }
    // A copy, because the buffer is transferred: the caller keeps its bytes, whose buffer may be larger.
    const request = { bytes: new Uint8Array(bytes), options, header };
    return await new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#next();
    });
  }

  /**
   * Reads an image's header in the caller's thread.
   *
   * @param size that of the later decoding: it takes less memory if it scales down.
   * @throws {ImageDecodeError} if the header is damaged or exceeds a limit.
   */
  async readHeader(
    bytes: Uint8Array,
    limits?: ImageLimits,
    size?: DecodeOptions["size"],
  ): Promise<ImageHeader> {
    const { readImageHeader } = await import("./decode_image.ts");
    const header = readImageHeader(bytes, limits, size);
    this.#headers.set(header, [bytes, limits]);
    return header;
  }

  /** Terminates the workers and rejects all unfinished images. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#startTimer);
    const error = disposedError();
    for (const job of this.#queue.splice(0)) job.reject(error);
    for (const end of [...this.#busy.values()]) end(error);
    for (const worker of this.#idle.splice(0)) worker.terminate();
  }

  #start(): void {
    while (!this.#disposed && this.#idle.length + this.#busy.size < this.#maxWorkers) {
      let worker: Worker;
      try {
        worker = this.#createWorker();
      } catch {
        return; // the next call of decode() reports the error
      }
      worker.onerror = (event) => {
        event.preventDefault();
        this.#drop(worker);
      };
      this.#idle.push(worker);
    }
  }

  /** Assigns queued images to workers until either runs out. */
  #next(): void {
    while (
      this.#queue.length > 0 && (this.#idle.length > 0 || this.#busy.size < this.#maxWorkers)
    ) {
      const job = this.#queue.shift()!;
      try {
        this.#run(this.#idle.pop() ?? this.#createWorker(), job);
      } catch (error) {
        // The worker could not start, or the message could not be sent.
        job.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** Terminates a worker and removes it from the pool. */
  #drop(worker: Worker): void {
    worker.terminate();
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
  }

  #run(worker: Worker, { request, resolve, reject }: Job): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = () => {
      clearTimeout(timer);
      this.#busy.delete(worker);
    };
    /** Fails the worker's image, terminates the worker and continues with the queue. */
    const end = (error: Error) => {
      settle();
      this.#drop(worker);
      reject(error);
      this.#next();
    };
    worker.onmessage = ({ data }: MessageEvent<DecodeReply>) => {
      settle();
      // V8 may free the memory of a large image only after ten more images; ending the worker does at once.
      if (data.isLarge) this.#drop(worker);
      else this.#idle.push(worker);
      if ("image" in data) resolve(data.image);
      else if ("refused" in data) reject(new ImageDecodeError(data.refused));
      else reject(new Error(data.failed));
      this.#next();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(new Error(`Cannot decode the image: its worker failed: ${event.message}`));
    };
    worker.onmessageerror = () =>
      end(new Error("Cannot decode the image: its worker's reply could not be read"));
    try {
      worker.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    } catch (error) {
      worker.terminate();
      throw error;
    }
    this.#busy.set(worker, end);
    const late = () =>
      end(
        new DOMException(
          `Cannot decode the image: it took over ${this.#timeout} ms`,
          "TimeoutError",
        ),
      );
    if (this.#timeout !== Infinity) {
      // If the caller's thread was blocked, a reply may already be queued: it runs before a second timer.
      timer = setTimeout(() => timer = setTimeout(late, GRACE), this.#timeout);
    }
  }
}

function disposedError(): Error {
  return new Error("Cannot decode the image: the decoder is disposed of");
}

function createDecodeWorker(): Worker {
  return typeof Worker === "undefined"
    ? nodeWorker("./decode_worker.ts", import.meta.url)
    : new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
}
