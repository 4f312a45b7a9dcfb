import type { RawImage } from "../../image/raw_image.ts";

/** The largest radius, in pixels: beyond it, an image of any usual size is one colour. */
const MAX_RADIUS = 1000;
/** Box blurs on each axis; their sequence is close to a Gaussian filter. */
const PASSES = 3;
/** 1 in the box's fixed-point weights. */
const ONE = 2 ** 24;

/**
 * Blurs an image, byte for byte as Pillow's `ImageFilter.GaussianBlur`: three extended box blurs a row,
 * then a column, each rounded to 8 bits (Gwosdek et al., "Theoretical foundations of Gaussian convolution
 * by extended box filtering", 2011). Beyond its edges the image goes on with its outermost pixels.
 *
 * @param radius the Gaussian's standard deviation, in pixels; 0 gives the image itself.
 * @throws {RangeError} if the radius is not a number from 0 to 1000.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gaussianBlur } from "./gaussian_blur.ts";
 *
 * const image = { width: 3, height: 1, data: Uint8Array.of(0, 0, 0, 200, 200, 200, 0, 0, 0) };
 * const { data } = gaussianBlur(image, 0.5);
 * assertEquals([data[0], data[3], data[6]], [21, 155, 21]);
 * ```
 */
export function gaussianBlur(image: RawImage, radius: number): RawImage {
  if (!(radius >= 0 && radius <= MAX_RADIUS)) {
    throw new RangeError(
      `Cannot blur: the radius is ${radius}; give a number of pixels from 0 to ${MAX_RADIUS}`,
    );
  }
  if (radius === 0) return image;
  const { width, height } = image;
  const data = image.data.slice();
  const box = boxOf(radius);
  for (let y = 0; y < height; y++) {
    for (let channel = 0; channel < 3; channel++) {
      blurLine(data, 3 * width * y + channel, 3, width, box);
    }
  }
  for (let start = 0; start < 3 * width; start++) blurLine(data, start, 3 * width, height, box);
  return { width, height, data };
}

/** A box whose two outermost pixels count less than the others. */
interface Box {
  /** The whole pixels to each side of the middle. */
  readonly radius: number;
  /** The weight of a whole pixel, in 24 bits of fraction. */
  readonly inner: number;
  /** The weight of the pixel beyond them at each end. */
  readonly outer: number;
}

/** The box whose blur, made three times, has the Gaussian's variance; in single precision, as in Pillow. */
function boxOf(sigma: number): Box {
  const f = Math.fround;
  const variance = f(f(f(sigma) * f(sigma)) / PASSES);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = Math.floor((length - 1) / 2);
  const numerator = f((2 * whole + 1) * f(whole * (whole + 1) - f(3 * variance)));
  const denominator = f(6 * f(variance - (whole + 1) * (whole + 1)));
  const radius = f(whole + f(numerator / denominator));
  const integer = Math.trunc(radius);
  const inner = Math.trunc(f(ONE / f(f(radius * 2) + 1)));
  return { radius: integer, inner, outer: ONE - (integer * 2 + 1) * inner >>> 1 };
}

/** Blurs a line of `count` bytes that lie `stride` apart, in place and three times. */
function blurLine(
  data: Uint8Array,
  start: number,
  stride: number,
  count: number,
  { radius, inner, outer }: Box,
): void {
  const margin = radius + 1;
  const line = new Uint8Array(count + 2 * margin);
  for (let i = 0; i < count; i++) line[margin + i] = data[start + i * stride]!;
  const out = new Uint8Array(count);
  for (let pass = 0; pass < PASSES; pass++) {
    line.fill(line[margin]!, 0, margin);
    line.fill(line[margin + count - 1]!, margin + count);
    let sum = 0; // of the whole pixels
    for (let i = 0; i < 2 * radius + 1; i++) sum += line[i]!;
    for (let i = 0; i < count; i++) {
      const left = line[i]!;
      const right = line[i + 2 * margin]!;
      sum += line[i + 2 * radius + 1]! - left;
      out[i] = sum * inner + (left + right) * outer + ONE / 2 >>> 24;
    }
    line.set(out, margin);
  }
  for (let i = 0; i < count; i++) data[start + i * stride] = out[i]!;
}
