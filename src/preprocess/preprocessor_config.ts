/** The size to resize to, in pixels: both sides, or the shorter one with the aspect ratio kept. */
export type Size = { readonly height: number; readonly width: number } | {
  readonly shortestEdge: number;
};

/** The settings of a `preprocessor_config.json`, checked and with the defaults filled in. */
export interface PreprocessorConfig {
  /** Whether to resize at all. */
  readonly doResize: boolean;
  /** The size to resize to. */
  readonly size: Size;
  /** PIL's filter: 1 lanczos, 2 bilinear, 3 bicubic. */
  readonly resample: 1 | 2 | 3;
  /** Whether to cut the middle out after resizing. */
  readonly doCenterCrop: boolean;
  /** The middle's size in pixels. */
  readonly cropSize: { readonly height: number; readonly width: number };
  /** Whether to multiply levels, 0 to 255, by the factor. */
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

/**
 * Reads the parsed JSON of a `preprocessor_config.json`. What it leaves out has the default of
 * `ViTImageProcessor`: resize to 224 × 224 by bilinear interpolation, no crop, 1/255, mean and
 * standard deviation 0.5.
 *
 * @throws {TypeError} if a setting has a value that cannot be used; the message names it.
 */
export function parsePreprocessorConfig(json: unknown): PreprocessorConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError("Cannot read the image processor: it is not a JSON object");
  }
  const config = json as Record<string, unknown>;
  return {
    doResize: boolean(config, "do_resize", true),
    size: size(config.size ?? 224),
    resample: resample(config.resample ?? 2),
    doCenterCrop: boolean(config, "do_center_crop", false),
    cropSize: bothSides(config.crop_size ?? 224) ?? invalid("crop_size", config.crop_size),
    doRescale: boolean(config, "do_rescale", true),
    rescaleFactor: number(config.rescale_factor ?? 1 / 255) ??
      invalid("rescale_factor", config.rescale_factor),
    doNormalize: boolean(config, "do_normalize", true),
    imageMean: perChannel(config, "image_mean"),
    imageStd: perChannel(config, "image_std"),
  };
}

function boolean(config: Record<string, unknown>, name: string, otherwise: boolean): boolean {
  const value = config[name] ?? otherwise;
  return typeof value === "boolean" ? value : invalid(name, value);
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** No image is to be resized to more than that a side. */
const MAX_SIDE = 4096;

function pixels(value: unknown): number | undefined {
  const isSize = Number.isSafeInteger(value) && value as number >= 1 && value as number <= MAX_SIDE;
  return isSize ? value as number : undefined;
}

function bothSides(value: unknown): { height: number; width: number } | undefined {
  const { height, width } = typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : { height: value, width: value };
  const sides = { height: pixels(height), width: pixels(width) };
  return sides.height && sides.width ? { height: sides.height, width: sides.width } : undefined;
}

function size(value: unknown): Size {
  const both = bothSides(value);
  if (both) return both;
  const shortestEdge = pixels((value as { shortest_edge?: unknown } | null)?.shortest_edge);
  return shortestEdge ? { shortestEdge } : invalid("size", value);
}

function resample(value: unknown): 1 | 2 | 3 {
  return value === 1 || value === 2 || value === 3 ? value : invalid("resample", value);
}

function perChannel(config: Record<string, unknown>, name: string): readonly number[] {
  const value = config[name] ?? [0.5, 0.5, 0.5];
  const isTriple = Array.isArray(value) && value.length === 3 &&
    value.every((x) => number(x) !== undefined);
  // Dividing by a standard deviation of 0 gives no finite pixel.
  return isTriple && !(name === "image_std" && value.includes(0)) ? value : invalid(name, value);
}

function invalid(name: string, value: unknown): never {
  throw new TypeError(
    `Cannot read the image processor: ${name} is ${JSON.stringify(value)}; see ViTImageProcessor`,
  );
}
