import { assertDecodeOptions, type DecodeOptions } from "./decode_options.ts";
import type { DecodeReply, DecodeRequest } from "./decode_worker.ts";
import type { Image } from "./image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import type { ImageHeader, ImageLimits } from "./image_header.ts";

/** How an {@linkcode ImageDecoder} works. */
export interface ImageDecoderOptions {
  /**
   * How many images to decode at a time, each in a worker of its own; default is the number of
   * cores. With 0, or on a host without workers, images are decoded in the caller's thread, one after
   * the other and without a deadline.
   */
  readonly workers?: number;
  /**
   * The most pixels of an image that is decoded in the caller's thread as long as no worker runs; the
   * workers start soon after it. Starting one holds the caller for longer than a small image takes.
   * Default 0: there is none.
   */
  readonly pixelsBeforeWorkers?: number;
  /** How long decoding an image may take, in milliseconds; default 10,000. `Infinity` is no deadline. */
  readonly timeout?: number;
  /**
   * Starts a worker that runs `decode_worker.ts`; for bundles, in which that module is elsewhere.
   */
  readonly createWorker?: () => Worker;
}

/** An image that waits for a worker. */
interface Job {
  readonly request: DecodeRequest;
  readonly resolve: (image: Image) => void;
  readonly reject: (error: Error) => void;
}

/** About three times what the slowest image took that the default limits allow. */
const DEFAULT_TIMEOUT = 10_000;

/** For an answer that is there but not yet read, in milliseconds. */
const GRACE = 10;

/** After the first image that did without workers, in milliseconds: its answer goes first. */
const START_DELAY = 500;

/**
 * Memory of large images that workers may keep between them, in bytes. V8 frees the memory of a WebAssembly
 * instance when it pleases, which may be after ten more images; a worker that ends frees it at once.
 */
const MAX_KEPT_MEMORY = 64_000_000;

/** Smaller images leave little behind, and V8 sees to them in time. */
const MIN_KEPT_MEMORY = 8_000_000;

/** The longest that a timer can wait. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * Decodes images in a pool of workers, so that the caller's thread stays free and no image takes
 * longer than a deadline. A worker whose image takes longer is ended, and another takes its place.
 * Workers that wait for images keep the process alive until the decoder is disposed of.
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
  /** The workers that decode, each with what ends its image from outside. */
  readonly #busy = new Map<Worker, (error: Error) => void>();
  /** The memory that images may have left behind in workers. */
  readonly #kept = new Map<Worker, number>();
  /** The headers read here, each with its file and the limits that it has passed. */
  readonly #headers = new WeakMap<ImageHeader, readonly [Uint8Array, ImageLimits | undefined]>();
  #disposed = false;
  /** Starts the workers after images that did without. */
  #startTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Makes a decoder. Workers start when they are needed.
   *
   * @throws {RangeError} if `workers` is no count or `timeout` no positive number.
   */
  constructor(
    {
      workers = navigator.hardwareConcurrency,
      pixelsBeforeWorkers = 0,
      timeout = DEFAULT_TIMEOUT,
      createWorker = createDecodeWorker,
    }: ImageDecoderOptions = {},
  ) {
    if (!Number.isSafeInteger(workers) || workers < 0) {
      throw new RangeError(`Cannot make an image decoder: workers is ${workers}, not a count`);
    }
    if (!(timeout > 0 && timeout <= MAX_TIMEOUT || timeout === Infinity)) {
      throw new RangeError(
        `Cannot make an image decoder: timeout is ${timeout}, not above 0 and up to ${MAX_TIMEOUT}`,
      );
    }
    this.#maxWorkers = typeof Worker === "undefined" ? 0 : workers;
    this.#pixelsBeforeWorkers = this.#maxWorkers > 0 ? pixelsBeforeWorkers : Infinity;
    this.#timeout = timeout;
    this.#createWorker = createWorker;
  }

  /** How many images it decodes at a time; more wait. */
  get concurrency(): number {
    return Math.max(1, this.#maxWorkers);
  }

  /**
   * Decodes an image as `decodeImage` does, with the same result. Images are begun in the
   * order of the calls.
   *
   * @param header what {@linkcode readHeader} of this decoder gave for these bytes and limits, so that it
   * is not read again. A header from anywhere else is not trusted: it is ignored.
   * @throws {ImageDecodeError} if it cannot be decoded.
   * @throws {DOMException} `TimeoutError` if it took too long, be it the image or a busy machine.
   * @throws {TypeError} if only one of `decode: "fast"` and `size` is given.
   */
  async decode(
    bytes: Uint8Array,
    options: DecodeOptions = {},
    header?: ImageHeader,
  ): Promise<Image> {
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
    // A copy: the caller may go on to use its bytes, and a view would be sent with all of its buffer.
    bytes = bytes.slice();
    const { promise, resolve, reject } = Promise.withResolvers<Image>();
    this.#queue.push({ request: { bytes, options, header }, resolve, reject });
    this.#next();
    return await promise;
  }

  /**
   * Reads an image's header in the caller's thread.
   *
   * @throws {ImageDecodeError} if it is damaged, or over a limit.
   */
  async readHeader(bytes: Uint8Array, limits?: ImageLimits): Promise<ImageHeader> {
    const { readImageHeader } = await import("./decode_image.ts");
    const header = readImageHeader(bytes, limits);
    this.#headers.set(header, [bytes, limits]);
    return header;
  }

  /** Ends the workers. What they have not finished is rejected. */
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
        return; // whoever decodes the next image learns why
      }
      worker.onerror = (event) => {
        event.preventDefault();
        this.#drop(worker);
      };
      this.#idle.push(worker);
    }
  }

  /** Gives waiting images to workers, as long as there are both. */
  #next(): void {
    while (
      this.#queue.length > 0 && (this.#idle.length > 0 || this.#busy.size < this.#maxWorkers)
    ) {
      const job = this.#queue.shift()!;
      try {
        this.#run(this.#idle.pop() ?? this.#createWorker(), job);
      } catch (error) {
        // The worker cannot be made, or the image cannot be sent.
        job.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** Puts a worker back that has decoded an image, or ends it if too much memory is kept. */
  #putBack(worker: Worker, memory: number): void {
    this.#idle.push(worker);
    if (memory < MIN_KEPT_MEMORY) return;
    this.#kept.set(worker, memory + (this.#kept.get(worker) ?? 0));
    const total = [...this.#kept.values()].reduce((sum, kept) => sum + kept, 0);
    if (total > MAX_KEPT_MEMORY) this.#drop(worker);
  }

  /** Ends a worker that is of no use any more. */
  #drop(worker: Worker): void {
    worker.terminate();
    this.#kept.delete(worker);
    const idle = this.#idle.indexOf(worker);
    if (idle >= 0) this.#idle.splice(idle, 1);
  }

  #run(worker: Worker, { request, resolve, reject }: Job): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = () => {
      clearTimeout(timer);
      this.#busy.delete(worker);
    };
    /** The worker is lost, with its image if it has one. */
    const end = (error: Error) => {
      settle();
      this.#drop(worker);
      reject(error);
      this.#next();
    };
    worker.onmessage = ({ data }: MessageEvent<DecodeReply>) => {
      settle();
      this.#putBack(worker, data.memory);
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
      end(new Error("Cannot decode the image: its worker's answer is lost"));
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
      // If the caller's thread was busy for as long, the answer is there, and comes before a next timer.
      timer = setTimeout(() => timer = setTimeout(late, GRACE), this.#timeout);
    }
  }
}

function disposedError(): Error {
  return new Error("Cannot decode the image: the decoder is disposed of");
}

function createDecodeWorker(): Worker {
  return new Worker(new URL("./decode_worker.ts", import.meta.url), { type: "module" });
}
