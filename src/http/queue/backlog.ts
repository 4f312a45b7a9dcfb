import { Problem } from "../problem.ts";

/** The limits of a {@linkcode Backlog}. */
export interface BacklogOptions {
  /** The most images in progress, from the end of the upload to the result. */
  readonly maxImages: number;
  /** How many images are decoded at a time. */
  readonly decoders: number;
}

/** The admitted images of a request; disposing removes them. */
export interface Admission extends Disposable {
  /** Called when an image is decoded. */
  decoded(pixels: number, milliseconds: number): void;
}

/** The share of a request's time that the estimate for the queue and its own work may take. */
const MAX_SHARE = 0.8;

/** The cost of the smallest image, as a number of pixels to decode. */
const PIXELS_PER_IMAGE = 50_000;

/** The weight of the old average when a value is added. */
const DECAY = 0.9;

/**
 * The images in progress, and an estimate of their time that is learned from earlier images. A request that
 * cannot be finished in time is refused at once instead of at its deadline.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  #images = 0;
  /** Pixels to decode, plus {@linkcode PIXELS_PER_IMAGE} an image. */
  #pixels = 0;
  /** The average time of decoding; it starts as on a slow machine. */
  #decoding = { milliseconds: 100, pixels: 1_000_000 };
  /** The average time of the model. */
  #inferencePerImage = 50;

  /** Makes an empty backlog. */
  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** The number of images in progress. */
  get images(): number {
    return this.#images;
  }

  /**
   * Refuses a request for which the time would not suffice, before it costs anything.
   *
   * @param remaining milliseconds until the request's deadline.
   * @throws {Problem} 429
   */
  assertOpen(remaining: number): void {
    const isFull = this.#images >= this.#options.maxImages;
    if (isFull || this.#images > 0 && this.#time(0, 0) > MAX_SHARE * remaining) throw this.#busy();
  }

  /**
   * Admits a request's images.
   *
   * @param pixels of each image that is to be decoded.
   * @param images the number of images for the model.
   * @param remaining milliseconds until the request's deadline.
   * @throws {Problem} 429 if there are too many, or they cannot be finished in time.
   */
  admit(pixels: readonly number[], images: number, remaining: number): Admission {
    let waiting = pixels.reduce((sum, count) => sum + count + PIXELS_PER_IMAGE, 0);
    const isTooMany = this.#images + images > this.#options.maxImages;
    const isTooLong = this.#time(waiting, images) > MAX_SHARE * remaining;
    // A lone request is always admitted: the estimate may be wrong.
    if (isTooMany || this.#images > 0 && isTooLong) throw this.#busy();
    this.#images += images;
    this.#pixels += waiting;
    const leave = (count: number) => {
      count = Math.min(count, waiting);
      waiting -= count;
      this.#pixels -= count;
    };
    return {
      decoded: (pixels, milliseconds) => {
        const cost = pixels + PIXELS_PER_IMAGE;
        leave(cost);
        this.#decoding.milliseconds = DECAY * this.#decoding.milliseconds + milliseconds;
        this.#decoding.pixels = DECAY * this.#decoding.pixels + cost;
      },
      [Symbol.dispose]: () => {
        leave(waiting);
        this.#images -= images;
        images = 0;
      },
    };
  }

  /** Called when the model has computed a batch. */
  inferred(images: number, milliseconds: number): void {
    this.#inferencePerImage = DECAY * this.#inferencePerImage + (1 - DECAY) * milliseconds / images;
  }

  /** The estimated time of all images in progress and of further ones, in milliseconds. */
  #time(pixels: number, images: number): number {
    const { milliseconds, pixels: decoded } = this.#decoding;
    const decoding = (this.#pixels + pixels) * milliseconds / decoded / this.#options.decoders;
    return decoding + (this.#images + images) * this.#inferencePerImage;
  }

  #busy(): Problem {
    const seconds = Math.ceil(this.#time(0, 0) / 1000);
    return new Problem(429, "Too many images are waiting; try again later", {
      "retry-after": `${Math.max(1, seconds)}`,
    });
  }
}
