import * as v from "valibot";
import { checkedJson, count } from "./checked_json.ts";

/** The size to resize to, in pixels: both sides, or the shorter one, which keeps the aspect ratio. */
export type ProcessorSize = { readonly height: number; readonly width: number } | {
  readonly shortestEdge: number;
};

/** The settings of a `preprocessor_config.json`, validated and with defaults. */
export interface PreprocessorConfig {
  /** Whether to resize. */
  readonly doResize: boolean;
  /** The size to resize to. */
  readonly size: ProcessorSize;
  /** PIL's filter: 1 lanczos, 2 bilinear, 3 bicubic. */
  readonly resample: 1 | 2 | 3;
  /** Whether to crop the centre after resizing. */
  readonly doCenterCrop: boolean;
  /** The size of the centre crop in pixels. */
  readonly cropSize: { readonly height: number; readonly width: number };
  /** Whether to multiply the pixel values (0 to 255) by `rescaleFactor`. */
  readonly doRescale: boolean;
  /** Usually 1/255. */
  readonly rescaleFactor: number;
  /** Whether to subtract the mean and divide by the standard deviation, after rescaling. */
  readonly doNormalize: boolean;
  /** The means of R, G and B. */
  readonly imageMean: readonly number[];
  /** The standard deviations of R, G and B, none of them 0. */
  readonly imageStd: readonly number[];
}

/** The maximum side of a resized image in pixels. */
const MAX_SIDE = 4096;

const side = count(MAX_SIDE);
const finite = v.pipe(v.number("a number"), v.finite("a finite number"));
const boolean = (otherwise: boolean) => v.nullish(v.boolean("true or false"), otherwise);

/** Both sides, as one number or as height and width. */
const bothSides = v.union([
  v.pipe(side, v.transform((length) => ({ height: length, width: length }))),
  v.object({ height: side, width: side }),
], `one or two integers from 1 to ${MAX_SIDE}`);

const size = v.union([
  bothSides,
  v.pipe(
    v.object({ shortest_edge: side }),
    v.transform(({ shortest_edge }) => ({ shortestEdge: shortest_edge })),
  ),
], `{height, width} or {shortest_edge}, each from 1 to ${MAX_SIDE}`);

const perChannel = v.strictTuple([finite, finite, finite], "three numbers");

/** `preprocessor_config.json` of Hugging Face's `ViTImageProcessor`, with its defaults. */
const schema = v.object({
  do_resize: boolean(true),
  size: v.nullish(size, 224),
  resample: v.nullish(v.picklist([1, 2, 3], "1, 2 or 3"), 2),
  do_center_crop: boolean(false),
  crop_size: v.nullish(bothSides, 224),
  do_rescale: boolean(true),
  rescale_factor: v.nullish(finite, 1 / 255),
  do_normalize: boolean(true),
  image_mean: v.nullish(perChannel, [0.5, 0.5, 0.5]),
  image_std: v.nullish(
    // A standard deviation of 0 would make the pixel values infinite or NaN.
    v.pipe(perChannel, v.check((std) => !std.includes(0), "three numbers other than 0")),
    [0.5, 0.5, 0.5],
  ),
});

/**
 * Validates the parsed JSON of a `preprocessor_config.json`. Missing settings have the defaults of
 * `ViTImageProcessor`: resize to 224 × 224 with bilinear interpolation, no crop, rescale by 1/255,
 * normalise with mean and standard deviation 0.5.
 *
 * @throws {TypeError} if a setting has an unsupported value; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePreprocessorConfig } from "./preprocessor_config.ts";
 *
 * const config = parsePreprocessorConfig({ size: { height: 32, width: 32 } });
 * assertEquals([config.size, config.doCenterCrop], [{ height: 32, width: 32 }, false]);
 * ```
 */
export function parsePreprocessorConfig(json: unknown): PreprocessorConfig {
  const config = checkedJson(schema, json, "the image processor");
  return {
    doResize: config.do_resize,
    size: config.size,
    resample: config.resample,
    doCenterCrop: config.do_center_crop,
    cropSize: config.crop_size,
    doRescale: config.do_rescale,
    rescaleFactor: config.rescale_factor,
    doNormalize: config.do_normalize,
    imageMean: config.image_mean,
    imageStd: config.image_std,
  };
}

/** The normalisation of ViT-MSN's released models; used if there is no preprocessor_config.json. */
export const IMAGENET: { readonly image_mean: number[]; readonly image_std: number[] } = {
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
};
