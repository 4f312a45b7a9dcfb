import type { RawImage } from "../../image/raw_image.ts";
import type { Box } from "../../preprocess/seen_box.ts";
import type { AttentionMap } from "./attention_map.ts";
import { colorMap, COLORS } from "./color_map.ts";

/** How {@linkcode overlayAttention} draws. */
export interface OverlayOptions {
  /** The share of the colour in each pixel, 0 to 1; default 0.6. */
  readonly opacity?: number;
  /**
   * How the map gets the size of the photo. `bilinear`, the default, interpolates between the centres of
   * patches; `nearest` shows each patch as a rectangle of one colour.
   */
  readonly resampling?: "bilinear" | "nearest";
  /** The part of the image that the patches cover; default is the map's `box`, or the whole image. */
  readonly box?: Box;
}

/** How dark the photo is where nothing is shown: outside of what the model saw, and below the threshold. */
const DIMMED = 0.35;

/** The light grey that a dropped patch fades to, and how far. */
const GREY = 211;
const FADE = 0.75;

const WHOLE: Box = { left: 0, top: 0, width: 1, height: 1 };

/**
 * Draws an attention map on its photo: black where CLS looks least, pale yellow where it looks
 * most, from the least to the largest weight of the map. Dropped patches are grey; patches below the threshold,
 * and what the model's processor cut off, are the photo, dimmed.
 *
 * @param photo of any size: the same picture that the map was computed of, with the same aspect ratio.
 * @returns an image of the photo's size.
 * @throws {RangeError} if `opacity` is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { overlayAttention } from "./overlay_attention.ts";
 *
 * const photo = { width: 2, height: 1, data: new Uint8Array(6).fill(100) };
 * const map = { rows: 1, columns: 2, layer: 11, head: 0, rollout: false };
 * const weights = Float32Array.of(0.2, 0.8);
 * const { data } = overlayAttention(photo, { ...map, weights }, { opacity: 1 });
 * assertEquals(data, Uint8Array.of(0, 0, 4, 252, 255, 164));
 * ```
 */
export function overlayAttention(
  photo: RawImage,
  map: AttentionMap,
  { opacity = 0.6, resampling = "bilinear", box = map.box ?? WHOLE }: OverlayOptions = {},
): RawImage {
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new RangeError(`Cannot draw attention: the opacity is ${opacity}, not from 0 to 1`);
  }
  const { width, height } = photo;
  const { rows, columns, mask } = map;
  const levels = toLevels(map.weights);
  const colors = colorMap();
  const isSmooth = resampling === "bilinear";
  const across = axisOf(width, box.left, box.width, columns);
  const down = axisOf(height, box.top, box.height, rows);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const row = down.patch[y]!;
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      const column = across.patch[x]!;
      const patch = row * columns + column;
      const isOutside = row < 0 || column < 0;
      const level = isOutside ? NaN : levels[patch]!;
      if (isOutside || mask && mask[patch] === 0 && !Number.isNaN(level)) {
        for (let c = 0; c < 3; c++) data[at + c] = Math.round(DIMMED * photo.data[at + c]!);
      } else if (Number.isNaN(level)) {
        for (let c = 0; c < 3; c++) {
          data[at + c] = Math.round(photo.data[at + c]! + FADE * (GREY - photo.data[at + c]!));
        }
      } else {
        const smooth = isSmooth ? interpolate(levels, columns, down, y, across, x) : level;
        const color = 3 * Math.round(smooth * (COLORS - 1));
        for (let c = 0; c < 3; c++) {
          const from = photo.data[at + c]!;
          data[at + c] = Math.round(from + opacity * (colors[color + c]! - from));
        }
      }
    }
  }
  return { width, height, data };
}

/** Weights from 0, the least, to 1, the largest; NaN stays. Equal weights become 0. */
function toLevels(weights: Float32Array): Float32Array {
  let [min, max] = [Infinity, -Infinity];
  for (const weight of weights) {
    if (weight < min) min = weight;
    if (weight > max) max = weight;
  }
  return weights.map((weight) => max > min ? (weight - min) / (max - min) : weight - min);
}

/** Where the pixels of one axis lie in the grid. */
interface Axis {
  /** The patch's row or column; −1 outside. */
  readonly patch: Int32Array;
  /** The patch whose centre is before the pixel's, and the one after it, within the grid. */
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** How far the pixel is between these centres, 0 to 1. */
  readonly share: Float32Array;
}

/** @param start of the grid, and `length`, in shares of the axis. */
function axisOf(pixels: number, start: number, length: number, patches: number): Axis {
  const positions = Float64Array.from(
    { length: pixels },
    (_, i) => ((i + 0.5) / pixels - start) / length * patches,
  );
  const inGrid = (patch: number) => Math.min(Math.max(patch, 0), patches - 1);
  return {
    patch: Int32Array.from(positions, (p) => p >= 0 && p < patches ? Math.floor(p) : -1),
    before: Int32Array.from(positions, (p) => inGrid(Math.floor(p - 0.5))),
    after: Int32Array.from(positions, (p) => inGrid(Math.floor(p - 0.5) + 1)),
    share: Float32Array.from(positions, (p) => p - 0.5 - Math.floor(p - 0.5)),
  };
}

/** The mean of the four nearest patches by their distance; those that were dropped do not count. */
function interpolate(
  levels: Float32Array,
  columns: number,
  down: Axis,
  y: number,
  across: Axis,
  x: number,
): number {
  let sum = 0;
  let total = 0;
  for (let corner = 0; corner < 4; corner++) {
    const isLower = corner > 1;
    const isRight = corner % 2 === 1;
    const row = isLower ? down.after[y]! : down.before[y]!;
    const column = isRight ? across.after[x]! : across.before[x]!;
    const level = levels[row * columns + column]!;
    if (Number.isNaN(level)) continue;
    const weight = (isLower ? down.share[y]! : 1 - down.share[y]!) *
      (isRight ? across.share[x]! : 1 - across.share[x]!);
    sum += weight * level;
    total += weight;
  }
  return sum / total;
}
