import type { RawImage } from "../../image/raw_image.ts";
import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { augment } from "../augmentation/augment.ts";
import { randomStream, shuffled, Stream } from "../random_stream.ts";

/** How the views of MSN are made, under the names of its published configurations. */
export interface MsnViewSettings {
  /** The side of the target and of the random views, in pixels: the model's input. */
  readonly rand_size: number;
  /** The side of the focal views, in pixels. */
  readonly focal_size: number;
  /** Random views of an image; published: 1. */
  readonly rand_views: number;
  /** Focal views of an image; published: 10. */
  readonly focal_views: number;
  /** The strength s of the change of colours, at most 2.5; published: 0.5. */
  readonly color_jitter_strength: number;
  /** The largest radius of a blur, in pixels of the view; published: 2. The least is a twentieth of it. */
  readonly blur_radius: number;
  /** The part of the views whose levels from 128 on are inverted; published: 0. */
  readonly solarize: number;
  /** An integer. */
  readonly seed: number;
}

/** Something of each view of an image. */
export interface MsnViewsOf<View> {
  /** What the target network sees. */
  readonly target: View;
  /** What the anchor network sees, with some patches dropped. */
  readonly random: readonly View[];
  /** Small parts that the anchor network sees whole. */
  readonly focal: readonly View[];
}

/** The part of an image's area that the target and the random views show, and that focal views show. */
const RANDOM_SCALE = [0.3, 1] as const;
const FOCAL_SCALE = [0.05, 0.3] as const;
/** The least radius of a blur, of the largest. */
const LEAST_BLUR = 0.05;

/**
 * Makes MSN's views of images (https://github.com/facebookresearch/msn, `src/data_manager.py`): a random
 * crop resized with a bilinear filter, mirrored half the time; with probability 0.8 changed in brightness,
 * contrast and saturation by 0.8 s and in hue by 0.2 s; grey with probability 0.2, blurred with 0.5.
 *
 * The published blur, of 0.1 to 2 pixels, is for views of 224 pixels: it leaves little to see of smaller ones.
 *
 * Each view has random numbers of its own: it depends on the seed, the epoch, the image's number and its
 * own number alone, and not on what was made before.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePreprocessorConfig } from "../../preprocess/preprocessor_config.ts";
 * import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
 * import { MsnViews } from "./msn_views.ts";
 *
 * const views = new MsnViews({
 *   rand_size: 32,
 *   focal_size: 16,
 *   rand_views: 1,
 *   focal_views: 4,
 *   color_jitter_strength: 0.5,
 *   blur_radius: 2,
 *   solarize: 0,
 *   seed: 1,
 * }, new ViTImageProcessor(parsePreprocessorConfig({ size: 32 })));
 * const image = { width: 50, height: 40, data: new Uint8Array(50 * 40 * 3).fill(90) };
 * const { target, focal } = views.pixelsOf(image, 0, 0);
 * assertEquals([target.length, focal.length, focal[0]?.length], [3 * 32 * 32, 4, 3 * 16 * 16]);
 * ```
 */
export class MsnViews {
  readonly #settings: MsnViewSettings;
  readonly #processor: ViTImageProcessor;

  /** @param processor gives the mean and the standard deviation; its size and filter are not used. */
  constructor(settings: MsnViewSettings, processor: ViTImageProcessor) {
    this.#settings = settings;
    // A view has its size already.
    this.#processor = new ViTImageProcessor({
      ...processor.config,
      doResize: false,
      doCenterCrop: false,
    });
  }

  /**
   * The views of an image in an epoch.
   *
   * @param index the image's number.
   * @throws {RangeError} if a setting is out of its range.
   */
  imagesOf(image: RawImage, index: number, epoch: number): MsnViewsOf<RawImage> {
    const { rand_size, focal_size, rand_views, focal_views } = this.#settings;
    const viewOf = (number: number, size: number, scale: readonly [number, number]) =>
      this.#view(image, size, scale, [epoch, index, number]);
    return {
      target: viewOf(0, rand_size, RANDOM_SCALE),
      random: Array.from(
        { length: rand_views },
        (_, i) => viewOf(1 + i, rand_size, RANDOM_SCALE),
      ),
      focal: Array.from(
        { length: focal_views },
        (_, i) => viewOf(1 + rand_views + i, focal_size, FOCAL_SCALE),
      ),
    };
  }

  /**
   * The normalised pixels of the views of an image in an epoch, [C, H, W] each.
   *
   * @param index the image's number.
   * @throws {RangeError} if a setting is out of its range.
   */
  pixelsOf(image: RawImage, index: number, epoch: number): MsnViewsOf<Float32Array> {
    const { target, random, focal } = this.imagesOf(image, index, epoch);
    const pixels = (view: RawImage) => this.#processor.preprocess([view]).data;
    return { target: pixels(target), random: random.map(pixels), focal: focal.map(pixels) };
  }

  /**
   * The patches that the random views of a step keep: the same for the whole batch, as in the published code.
   *
   * @param count N, the patches of a random view.
   * @param kept at most N.
   * @returns the numbers of the kept patches, 0 to N - 1, in random order.
   * @throws {RangeError} unless `kept` is an integer from 1 to N.
   */
  keptPatches(count: number, kept: number, step: number): Int32Array {
    if (!(Number.isInteger(kept) && kept >= 1 && kept <= count)) {
      throw new RangeError(
        `Cannot keep ${kept} of ${count} patches: give an integer from 1 to ${count}`,
      );
    }
    const random = randomStream(this.#settings.seed, Stream.PATCHES, step);
    return Int32Array.from(shuffled(count, random).slice(0, kept));
  }

  #view(
    image: RawImage,
    size: number,
    cropScale: readonly [number, number],
    purpose: readonly number[],
  ): RawImage {
    const { color_jitter_strength: s, blur_radius, solarize, seed } = this.#settings;
    return augment(image, {
      size: [size, size],
      cropScale,
      colorJitter: { brightness: 0.8 * s, contrast: 0.8 * s, saturation: 0.8 * s, hue: 0.2 * s },
      colorJitterProbability: 0.8,
      grayscale: 0.2,
      blur: 0.5,
      blurRadius: [LEAST_BLUR * blur_radius, blur_radius],
      solarize,
    }, randomStream(seed, Stream.AUGMENTATION, ...purpose));
  }
}
