import type { RawImage } from "../../image/raw_image.ts";
import { checkProbability } from "./check_probability.ts";
import { checkRange } from "./check_range.ts";
import { colorJitter, type ColorJitterOptions } from "./color_jitter.ts";
import { gaussianBlur } from "./gaussian_blur.ts";
import { grayscale } from "./grayscale.ts";
import { mirror } from "./mirror.ts";
import { randAugment, type RandAugmentOptions } from "./rand_augment.ts";
import { solarize } from "./operations/solarize.ts";
import { randomResizedCrop, type RandomResizedCropOptions } from "./random_resized_crop.ts";

/** How an image is changed at random for training. */
export interface AugmentOptions {
  /** The result's `[height, width]`, in pixels: the model's input. */
  readonly size: readonly [number, number];
  /** The filter of the resizing; default bilinear. Give the image processor's. */
  readonly resample?: RandomResizedCropOptions["resample"];
  /** The range of the crop's area relative to the image's; default [0.08, 1]. [1, 1] keeps most of it. */
  readonly cropScale?: readonly [number, number];
  /** The range of the crop's width / height; default [3/4, 4/3]. */
  readonly cropRatio?: readonly [number, number];
  /** The part of the images that are mirrored; default 0.5. Give 0 where left and right matter. */
  readonly mirror?: number;
  /** The change of colours; default 0.4 for brightness, contrast and saturation. `{}` turns it off. */
  readonly colorJitter?: ColorJitterOptions;
  /** The part of the images whose colours are changed; default 1. */
  readonly colorJitterProbability?: number;
  /** RandAugment after the colours; off by default. `{}` gives two operations of magnitude 9. */
  readonly randAugment?: RandAugmentOptions;
  /** The part of the images that become grey; default 0. */
  readonly grayscale?: number;
  /** The part of the images that are blurred; default 0. */
  readonly blur?: number;
  /** The range of the blur's radius, in pixels of the result; default [0.1, 2]. */
  readonly blurRadius?: readonly [number, number];
  /** The part of the images whose levels from 128 on are inverted; default 0. */
  readonly solarize?: number;
}

/** Levels from here on are inverted. */
const SOLARIZE_FROM = 128;
const COLOR_JITTER: ColorJitterOptions = { brightness: 0.4, contrast: 0.4, saturation: 0.4 };

/**
 * Makes a new random version of an image: a crop, resized; then mirroring, the change of colours,
 * RandAugment, grey, blur and inverted highlights, each as often as the options say. The result depends on
 * the image, the options and the generator alone: the same seed gives the same image.
 *
 * @param random uniform numbers in [0, 1); how many are used varies.
 * @throws {RangeError} if an option is out of its range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { uniform } from "../../tensor/random.ts";
 * import { augment } from "./augment.ts";
 *
 * const image = { width: 40, height: 30, data: new Uint8Array(40 * 30 * 3).fill(90) };
 * const options = { size: [32, 32], randAugment: {} } as const;
 * const augmented = augment(image, options, uniform(7));
 * assertEquals([augmented.height, augmented.width], [32, 32]);
 * assertEquals(augment(image, options, uniform(7)), augmented);
 * ```
 */
export function augment(image: RawImage, options: AugmentOptions, random: () => number): RawImage {
  const {
    size,
    resample = "bilinear",
    cropScale = [0.08, 1],
    cropRatio = [3 / 4, 4 / 3],
    colorJitter: jitter = COLOR_JITTER,
    blurRadius = [0.1, 2],
  } = options;
  checkRange(blurRadius, 0, 1000, "blurRadius");
  const isDrawn = (
    name: "mirror" | "colorJitterProbability" | "grayscale" | "blur" | "solarize",
    or: number,
  ) => {
    const probability = options[name] ?? or;
    checkProbability(probability, name);
    return random() < probability;
  };
  const crop = { size, resample, scale: cropScale, ratio: cropRatio };
  image = randomResizedCrop(image, crop, random);
  if (isDrawn("mirror", 0.5)) image = mirror(image);
  if (isDrawn("colorJitterProbability", 1)) image = colorJitter(image, jitter, random);
  if (options.randAugment) image = randAugment(image, options.randAugment, random);
  if (isDrawn("grayscale", 0)) image = grayscale(image);
  if (isDrawn("blur", 0)) {
    const [min, max] = blurRadius;
    image = gaussianBlur(image, min + (max - min) * random());
  }
  // Without the option, no number is drawn: fine-tuning draws others from the same generator afterwards.
  if (options.solarize !== undefined && isDrawn("solarize", 0)) {
    image = solarize(image, SOLARIZE_FROM);
  }
  return image;
}
