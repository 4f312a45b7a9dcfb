import type { Image } from "./image.ts";

/** An interpolation filter, under Pillow's name. */
export type Resampling = "bilinear" | "bicubic" | "lanczos";

interface Filter {
  /** How far from its centre the filter is not zero. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const FILTERS: Readonly<Record<Resampling, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0 },
};

/** Pillow's fixed point: 8 bits for the pixel and 2 to spare, out of 32. */
const PRECISION_BITS = 22;

/**
 * Resizes a picture as Pillow's `Image.resize` does, byte for byte: a horizontal pass, rounded to
 * 8 bits, then a vertical one; a filter that covers every source pixel when shrinking (antialias).
 *
 * @throws {RangeError} if a size is not a positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { resize } from "./resize.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 200, 100, 50) };
 * assertEquals(resize(image, 1, 1, "bilinear").data, Uint8Array.of(100, 50, 25));
 * ```
 */
export function resize(
  image: Image,
  width: number,
  height: number,
  resampling: Resampling,
): Image {
  for (const size of [width, height]) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new RangeError(`Cannot resize to ${width} × ${height}: sizes are positive integers`);
    }
  }
  const filter = FILTERS[resampling];
  const narrowed = width === image.width ? image : resizeRows(image, width, filter);
  return height === image.height ? narrowed : resizeColumns(narrowed, height, filter);
}

/** For one output position: which input positions count (`start`, `count`), and by how much. */
interface Kernels {
  readonly start: Int32Array;
  readonly count: Int32Array;
  /** `size` weights a position, in fixed point; those past `count` are 0. */
  readonly weights: Int32Array;
  readonly size: number;
}

/** Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` (libImaging/Resample.c). */
function computeKernels(inSize: number, outSize: number, filter: Filter): Kernels {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * size);
  const row = new Float64Array(size);
  for (let out = 0; out < outSize; out++) {
    const center = (out + 0.5) * scale;
    const min = Math.max(0, Math.trunc(center - support + 0.5));
    const max = Math.min(inSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = 0; i < max - min; i++) {
      row[i] = filter.weight((i + min - center + 0.5) / filterScale);
      sum += row[i]!;
    }
    for (let i = 0; i < max - min; i++) {
      const weight = row[i]! / sum * 2 ** PRECISION_BITS;
      weights[out * size + i] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    start[out] = min;
    count[out] = max - min;
  }
  return { start, count, weights, size };
}

const HALF = 1 << (PRECISION_BITS - 1);

function resizeRows({ width, height, data }: Image, outWidth: number, filter: Filter): Image {
  const { start, count, weights, size } = computeKernels(width, outWidth, filter);
  const out = new Uint8ClampedArray(outWidth * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let from = (y * width + start[x]!) * 3;
      let r = HALF, g = HALF, b = HALF;
      for (let i = x * size, end = i + count[x]!; i < end; i++, from += 3) {
        const weight = weights[i]!;
        r = r + Math.imul(data[from]!, weight) | 0;
        g = g + Math.imul(data[from + 1]!, weight) | 0;
        b = b + Math.imul(data[from + 2]!, weight) | 0;
      }
      out[to++] = r >> PRECISION_BITS;
      out[to++] = g >> PRECISION_BITS;
      out[to++] = b >> PRECISION_BITS;
    }
  }
  return { width: outWidth, height, data: new Uint8Array(out.buffer) };
}

function resizeColumns({ width, height, data }: Image, outHeight: number, filter: Filter): Image {
  const { start, count, weights, size } = computeKernels(height, outHeight, filter);
  const stride = width * 3;
  const out = new Uint8ClampedArray(stride * outHeight);
  // A row of sums, so that memory is read along the rows.
  const sums = new Int32Array(stride);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(HALF);
    for (let i = 0; i < count[y]!; i++) {
      const weight = weights[y * size + i]!;
      const from = (start[y]! + i) * stride;
      for (let x = 0; x < stride; x++) sums[x]! += Math.imul(data[from + x]!, weight);
    }
    for (let x = 0; x < stride; x++) out[y * stride + x] = sums[x]! >> PRECISION_BITS;
  }
  return { width, height: outHeight, data: new Uint8Array(out.buffer) };
}

/** Keys' cubic convolution with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  return Math.sin(x * Math.PI) / (x * Math.PI);
}
