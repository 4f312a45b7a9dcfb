import { Problem } from "../problem.ts";

/** How much a {@linkcode Backlog} takes on. */
export interface BacklogOptions {
  /** The most images in progress, from the end of the upload to the result. */
  readonly maxImages: number;
  /** How many images are decoded at a time. */
  readonly decoders: number;
}

/** Images of a request that were let in; they leave when this is disposed of. */
export interface Admission extends Disposable {
  /** An image is decoded. */
  decoded(pixels: number, milliseconds: number): void;
}

/** The share of a request's time that its own work and what is before it may take by estimate. */
const MAX_SHARE = 0.8;

/** The cost of the smallest image, as a number of pixels to decode. */
const PIXELS_PER_IMAGE = 50_000;

/** How much of an average an older value keeps with each new one. */
const DECAY = 0.9;

/**
 * The images that are on their way, and an estimate of the time that they will take, learned from those
 * before them. What could not be done in time is turned away at once, instead of at its deadline.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  #images = 0;
  /** Those to be decoded, each with {@linkcode PIXELS_PER_IMAGE} more than it has. */
  #pixels = 0;
  /** Of decoding, an average: to begin with, a slow machine's. */
  #decoding = { milliseconds: 100, pixels: 1_000_000 };
  /** Of the model, an average. */
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
   * Turns a request away for which there would be no time, before anything is done for it.
   *
   * @param remaining milliseconds until the request's deadline.
   * @throws {Problem} 429
   */
  assertOpen(remaining: number): void {
    const isFull = this.#images >= this.#options.maxImages;
    if (isFull || this.#images > 0 && this.#time(0, 0) > MAX_SHARE * remaining) throw this.#busy();
  }

  /**
   * Lets a request's images in.
   *
   * @param pixels of each image that is to be decoded.
   * @param images how many the model is to see.
   * @param remaining milliseconds until the request's deadline.
   * @throws {Problem} 429 if there are too many, or they could not be done in time.
   */
  admit(pixels: readonly number[], images: number, remaining: number): Admission {
    let waiting = pixels.reduce((sum, count) => sum + count + PIXELS_PER_IMAGE, 0);
    const isTooMany = this.#images + images > this.#options.maxImages;
    const isTooLong = this.#time(waiting, images) > MAX_SHARE * remaining;
    // What is alone gets its chance: the estimate may be wrong.
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

  /** The model has seen images, one or several together. */
  inferred(images: number, milliseconds: number): void {
    this.#inferencePerImage = DECAY * this.#inferencePerImage + (1 - DECAY) * milliseconds / images;
  }

  /** How long all that is here would take, and so much more, in milliseconds. */
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
