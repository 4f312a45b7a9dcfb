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
    case "float16": {
      const { buffer, byteOffset, length } = data as Uint16Array<ArrayBuffer>;
      const halves = new Float16Array(buffer, byteOffset, length);
      return { dtype: "float32", shape, data: Float32Array.from(halves) };
    }
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

/**
 * Rounds a floating-point tensor to float16, ties to even. A float16 tensor is returned as it is.
 *
 * @throws {RangeError} if a finite value would become infinite.
 * @throws {TypeError} if the element type is not a floating-point type.
 */
export function toFloat16(tensor: Tensor): Tensor<"float16"> {
  if (tensor.dtype === "float16") return tensor as Tensor<"float16">;
  const { shape, data } = toFloat32(tensor);
  const halves = Float16Array.from(data);
  const tooLarge = halves.findIndex((half, i) =>
    !Number.isFinite(half) && Number.isFinite(data[i])
  );
  if (tooLarge >= 0) {
    throw new RangeError(
      `Cannot round ${data[tooLarge]} to float16: the maximum is ${MAX_FLOAT16}`,
    );
  }
  return { dtype: "float16", shape, data: new Uint16Array(halves.buffer) };
}
