import type { Tensor } from "./tensor.ts";

// The same 32 bits as a float and as an integer.
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Rounds a number to the nearest IEEE 754 binary16, ties to even, and returns its 16 bits. What is
 * too large becomes an infinity; `NaN` stays one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { toFloat16Bits } from "./float16.ts";
 *
 * assertEquals(toFloat16Bits(1), 0x3c00);
 * ```
 */
export function toFloat16Bits(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and more: infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14 a half counts in steps of 2^-24. The product is exact, being a power of two off,
    // and adding 2^52 makes the double-precision sum drop its fraction, ties to even.
    const steps = Math.abs(float[0]) * 2 ** 24 + 2 ** 52 - 2 ** 52;
    return sign | steps;
  }
  // Rebias the exponent from 127 to 15 and round 23 fraction bits to 10; a carry out of the
  // fraction rightly raises the exponent, up to infinity.
  const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
  return sign | (rounded >>> 13);
}

/**
 * The number that 16 bits stand for as an IEEE 754 binary16. Exact.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fromFloat16Bits } from "./float16.ts";
 *
 * assertEquals(fromFloat16Bits(0xc000), -2);
 * ```
 */
export function fromFloat16Bits(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * A floating-point tensor as float32: itself where it is one already; float16 and bfloat16 widen
 * exactly; float64 is rounded.
 *
 * @throws {TypeError} if it holds integers.
 */
export function toFloat32(tensor: Tensor): Tensor<"float32"> {
  const { dtype, shape, data } = tensor;
  switch (dtype) {
    case "float32":
      return tensor as Tensor<"float32">;
    case "float64":
      return { dtype: "float32", shape, data: Float32Array.from(data as Float64Array) };
    case "float16":
      return {
        dtype: "float32",
        shape,
        data: Float32Array.from(data as Uint16Array, fromFloat16Bits),
      };
    case "bfloat16": {
      const words = Uint32Array.from(data as Uint16Array, (half) => half << 16);
      return { dtype: "float32", shape, data: new Float32Array(words.buffer) };
    }
    default:
      throw new TypeError(`Cannot convert ${dtype} to float32: it is not a floating-point type`);
  }
}

/** A floating-point tensor rounded to float16, ties to even; see {@linkcode toFloat32}. */
export function toFloat16(tensor: Tensor): Tensor<"float16"> {
  if (tensor.dtype === "float16") return tensor as Tensor<"float16">;
  const { shape, data } = toFloat32(tensor);
  return { dtype: "float16", shape, data: Uint16Array.from(data, toFloat16Bits) };
}
