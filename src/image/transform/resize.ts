import resampleWasm from "../../../wasm/resample.wasm.ts";
import { compileWasm } from "../../host/wasm_source.ts";
import type { RawImage } from "../raw_image.ts";
import { type Resampling, resamplingWeights, type Weights } from "./resampling.ts";

/**
 * Resizes an image to `width × height` pixels, byte for byte as Pillow's `Image.resize`: a horizontal
 * pass, rounded to 8 bits, then a vertical pass. When downscaling, the filter covers every source pixel
 * (antialiasing). If neither size changes, it returns `image` itself.
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
  image: RawImage,
  width: number,
  height: number,
  resampling: Resampling,
): RawImage {
  for (const size of [width, height]) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new RangeError(
        `Cannot resize to ${width} × ${height}: sizes must be positive integers`,
      );
    }
  }
  const narrowed = width === image.width ? image : resizeRows(image, width, resampling);
  return height === image.height ? narrowed : resizeColumns(narrowed, height, resampling);
}

/** The exports of `wasm/assembly/resample.ts`. */
interface Kernels {
  readonly memory: WebAssembly.Memory;
  readonly resampleRows: (...args: number[]) => void;
  readonly resampleColumns: (...args: number[]) => void;
}

let kernels: Kernels | undefined;

/** The size of a strip of source rows; a strip that fits into the processor's cache is fastest. */
const STRIP_BYTES = 2 ** 18;
/** The kernels may read or write up to this many bytes past the end. */
const PADDING = 16;

function resizeRows(
  { width, height, data }: RawImage,
  outWidth: number,
  resampling: Resampling,
): RawImage {
  const weights = split(resamplingWeights(width, outWidth, resampling));
  const stride = 3 * width;
  const outStride = 3 * outWidth;
  const stripRows = Math.max(1, Math.floor(STRIP_BYTES / stride));
  const memory = new Arena();
  const starts = memory.put(weights.start);
  const pairs = memory.put(weights.pairs);
  const high = memory.put(weights.high);
  const low = memory.put(weights.low);
  const source = memory.reserve(stripRows * stride);
  const target = memory.reserve(stripRows * outStride);
  const { resampleRows } = memory.commit();
  const out = new Uint8Array(outStride * height);
  for (let y = 0; y < height; y += stripRows) {
    const rows = Math.min(stripRows, height - y);
    memory.bytes(source, rows * stride).set(data.subarray(y * stride, (y + rows) * stride));
    resampleRows(source, stride, rows, target, outWidth, starts, pairs, high, low, weights.size);
    out.set(memory.bytes(target, rows * outStride), y * outStride);
  }
  return { width: outWidth, height, data: out };
}

function resizeColumns(
  { width, height, data }: RawImage,
  outHeight: number,
  resampling: Resampling,
): RawImage {
  const weights = split(resamplingWeights(height, outHeight, resampling));
  const stride = 3 * width;
  // The kernel processes 16 columns at a time. Strips of columns limit the memory.
  const stripColumns = Math.max(PADDING, Math.floor(STRIP_BYTES * 4 / height) & -PADDING);
  const memory = new Arena();
  const high = memory.put(weights.high);
  const low = memory.put(weights.low);
  const source = memory.reserve((height + 1) * stripColumns);
  const target = memory.reserve(stripColumns);
  const { resampleColumns } = memory.commit();
  const out = new Uint8Array(stride * outHeight);
  for (let x = 0; x < stride; x += stripColumns) {
    const columns = Math.min(stripColumns, stride - x);
    const paddedColumns = Math.ceil(columns / PADDING) * PADDING;
    const strip = memory.bytes(source, height * paddedColumns);
    for (let y = 0; y < height; y++) {
      strip.set(data.subarray(y * stride + x, y * stride + x + columns), y * paddedColumns);
    }
    for (let y = 0; y < outHeight; y++) {
      const first = source + weights.start[y]! * paddedColumns;
      const offset = 4 * y * weights.size;
      resampleColumns(first, paddedColumns, weights.pairs[y]!, target, high + offset, low + offset);
      out.set(memory.bytes(target, columns), y * stride + x);
    }
  }
  return { width, height: outHeight, data: out };
}

/** Weights in the layout that `wasm/assembly/resample.ts` expects. */
interface SplitWeights {
  readonly start: Int32Array;
  /** The number of pairs of taps per output position. */
  readonly pairs: Int32Array;
  /** The weights without their lower 11 bits, 2 × `size` per position. */
  readonly high: Int16Array;
  /** The lower 11 bits of the weights, 2 × `size` per position. */
  readonly low: Int16Array;
  readonly size: number;
}

const LOW_BITS = 11;

function split({ start, count, weights, size }: Weights): SplitWeights {
  return {
    start,
    pairs: count.map((taps) => (taps + 1) >> 1),
    high: Int16Array.from(weights, (weight) => weight >> LOW_BITS),
    low: Int16Array.from(weights, (weight) => weight & (1 << LOW_BITS) - 1),
    size: size / 2,
  };
}

const PAGE = 65_536;

/** Allocates the kernels' memory for one pass: first all regions, then `commit` copies the data. */
class Arena {
  #end = 0;
  readonly #contents: [number, ArrayBufferView][] = [];

  /** Reserves `length` bytes and returns their address. */
  reserve(length: number): number {
    const place = this.#end;
    this.#end += Math.ceil((length + PADDING) / PADDING) * PADDING;
    return place;
  }

  /** Reserves a region for data, which `commit` copies, and returns its address. */
  put(data: ArrayBufferView): number {
    const place = this.reserve(data.byteLength);
    this.#contents.push([place, data]);
    return place;
  }

  /** Grows the memory, copies the data and returns the kernels. */
  commit(): Kernels {
    kernels ??= new WebAssembly.Instance(compileWasm(resampleWasm))
      .exports as unknown as Kernels;
    const missing = this.#end - kernels.memory.buffer.byteLength;
    if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE));
    for (const [place, { buffer, byteOffset, byteLength }] of this.#contents) {
      this.bytes(place, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
    }
    return kernels;
  }

  /** Returns a view of a region; valid only after `commit`. */
  bytes(place: number, length: number): Uint8Array {
    return new Uint8Array(kernels!.memory.buffer, place, length);
  }
}
