import type { Tensor } from "./tensor.ts";

/**
 * Converts a floating-point tensor to float32. A float32 tensor is returned as it is; float16 and
 * bfloat16 are converted exactly; float64 is rounded.
 *
 * @throws {TypeError} if the element type is not a floating-point type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { toFloat32 } from "./float16.ts";
 *
 * const halves = { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0xc000) } as const;
 * assertEquals(toFloat32(halves).data, Float32Array.of(1, -2));
 * ```
 */
export function toFloat32(tensor: Tensor): Tensor<"float32"> {
  const { dtype, shape, data } = tensor;
  switch (dtype) {
    case "float32":
      return tensor as Tensor<"float32">;
    case "float64":
      return { dtype: "float32", shape, data: Float32Array.from(data as Float64Array) };
    case "float16":
      return { dtype: "float32", shape, data: numbersOf(data as Uint16Array) };
    case "bfloat16": {
      const words = Uint32Array.from(data as Uint16Array, (half) => half << 16);
      return { dtype: "float32", shape, data: new Float32Array(words.buffer) };
    }
    default:
      throw new TypeError(`Cannot convert ${dtype} to float32: it is not a floating-point type`);
  }
}

/** The largest finite float16. */
const MAX_FLOAT16 = 65_504;
/** The smallest number that would be rounded to infinity. */
const OVERFLOW = 65_520;

/**
 * Rounds a floating-point tensor to float16, ties to even. A float16 tensor is returned as it is.
 *
 * @throws {RangeError} if a finite value would become infinite.
 * @throws {TypeError} if the element type is not a floating-point type.
 */
export function toFloat16(tensor: Tensor): Tensor<"float16"> {
  if (tensor.dtype === "float16") return tensor as Tensor<"float16">;
  const { shape, data } = toFloat32(tensor);
  const tooLarge = data.find((x) => Math.abs(x) >= OVERFLOW && Number.isFinite(x));
  if (tooLarge !== undefined) {
    throw new RangeError(`Cannot round ${tooLarge} to float16: the maximum is ${MAX_FLOAT16}`);
  }
  return { dtype: "float16", shape, data: halvesOf(data) };
}

// `Float16Array` is missing before Node.js 24. A float16 has a sign, 5 bits of exponent with the offset 15
// and 10 bits of fraction; a float32 has 8 bits with the offset 127, and 23 bits.

/** What is added to a float16's exponent, at its place. */
const OFFSET = 127 - 15 << 10;
const INFINITY = 0x7c00;
const NOT_A_NUMBER = 0x7e00;

function numbersOf(halves: Uint16Array): Float32Array {
  const numbers = new Float32Array(halves.length);
  const bits = new Uint32Array(numbers.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const size = half & 0x7fff;
    if (size < 0x400) numbers[i] = size * 2 ** -24; // below the normal numbers
    else bits[i] = size + (size < INFINITY ? OFFSET : 2 * OFFSET) << 13;
    bits[i]! |= (half & 0x8000) << 16;
  }
  return numbers;
}

function halvesOf(numbers: Float32Array): Uint16Array {
  const { buffer, byteOffset, length } = numbers;
  const bits = new Uint32Array(buffer, byteOffset, length);
  const halves = new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    const number = Math.abs(numbers[i]!);
    const word = bits[i]!;
    let size;
    // Adding 2^52 rounds to an integer, ties to even.
    if (number < 2 ** -14) size = number * 2 ** 24 + 2 ** 52 - 2 ** 52;
    // Adding just under a half of the last place that is kept, or a half if that is odd, does so, too.
    else if (number < OVERFLOW) {
      size = ((word & 0x7fffffff) + 0xfff + (word >>> 13 & 1) >>> 13) - OFFSET;
    } else size = number === Infinity ? INFINITY : NOT_A_NUMBER;
    halves[i] = word >>> 16 & 0x8000 | size;
  }
  return halves;
}
