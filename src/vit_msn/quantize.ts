import { toFloat16, toFloat32 } from "../tensor/float16.ts";
import type { DataType, Tensor } from "../tensor/tensor.ts";
import { smoothQuant } from "./smooth_quant.ts";
import type { ViTMSNWeights } from "./weights.ts";

/**
 * The data type in which a file stores the matrices: `f32`; `f16`, half the size, computed in float32;
 * `int8`, a quarter of the size, with the blocks' matrix products computed in integers.
 */
export type WeightDataType = "f32" | "f16" | "int8";

/** The weights that `f16` stores as float16. */
const MATRIX = /(projection|dense|query|key|value|classifier)\.weight$/;
/** The weights that `int8` quantises: the blocks' matrices, but not patch projection and classifier. */
const BLOCK_MATRIX = /^encoder\..*(dense|query|key|value)\.weight$/;

/**
 * Converts weights to the data type of a file. An int8 weight has scales, float32 [out], under the name
 * {@linkcode scaleName}. For `int8`, {@linkcode smoothQuant} runs first, which also changes the LayerNorms.
 *
 * @throws {RangeError} if a number is too large for `f16`, or not finite for `int8`; the message names the
 * weight.
 */
export function quantize(weights: ViTMSNWeights, dtype: WeightDataType): ViTMSNWeights {
  const stored = new Map<string, Tensor>();
  for (const [name, tensor] of dtype === "int8" ? smoothQuant(weights) : weights) {
    if (dtype === "int8" && BLOCK_MATRIX.test(name)) {
      const matrix = toFloat32(tensor);
      if (!matrix.data.every(Number.isFinite)) {
        throw new RangeError(`Cannot store ${name} as int8: it has a number that is not finite`);
      }
      const { quantized, scales } = quantizeRows(matrix);
      stored.set(name, quantized);
      stored.set(scaleName(name), scales);
    } else if (dtype === "f16" && MATRIX.test(name)) {
      stored.set(name, toFloat16OrThrow(name, tensor));
    } else stored.set(name, toFloat32(tensor));
  }
  return stored;
}

/** The data types in which a file may store a weight. */
export function storedTypes(name: string): DataType[] {
  const types: DataType[] = ["float32"];
  if (MATRIX.test(name)) types.push("float16");
  if (BLOCK_MATRIX.test(name)) types.push("int8");
  return types;
}

/** The name of an int8 weight's scales. */
export function scaleName(weight: string): string {
  return `${weight}_scale`;
}

/**
 * The largest quantised weight: 7 bits with the sign, ONNX Runtime's `reduce_range`. The sum of two products
 * with 8-bit activations then fits the 16-bit accumulators of processors without VNNI.
 */
const MAX_WEIGHT = 63;

/**
 * Quantises each row, that is each output, by its own scale: `w ≈ scale · q` with `scale = max |w| / 63` and
 * q from -63 to 63.
 */
function quantizeRows({ shape, data }: Tensor<"float32">): {
  quantized: Tensor<"int8">;
  scales: Tensor<"float32">;
} {
  const [rows, columns] = shape as [number, number];
  const quantized = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * columns, (r + 1) * columns);
    // A row of zeros gets the scale 1.
    const scale = Math.fround(row.reduce((max, w) => Math.max(max, Math.abs(w)), 0) / MAX_WEIGHT) ||
      1;
    scales[r] = scale;
    row.forEach((w, c) => quantized[r * columns + c] = Math.round(w / scale));
  }
  return {
    quantized: { dtype: "int8", shape, data: quantized },
    scales: { dtype: "float32", shape: [rows], data: scales },
  };
}

function toFloat16OrThrow(name: string, tensor: Tensor): Tensor<"float16"> {
  try {
    return toFloat16(tensor);
  } catch (error) {
    throw new RangeError(`Cannot store ${name} as f16: ${(error as Error).message}`);
  }
}

/** The weights of any data type in float32: quantising int8 ones again gives the same numbers. */
export function dequantize(weights: ViTMSNWeights): Map<string, Tensor<"float32">> {
  const exact = new Map<string, Tensor<"float32">>();
  const scales = new Set([...weights.keys()].map(scaleName));
  for (const [name, tensor] of weights) {
    if (scales.has(name)) continue;
    const scale = weights.get(scaleName(name));
    exact.set(name, scale ? timesRows(tensor, scale) : toFloat32(tensor));
  }
  return exact;
}

/** A matrix, each row times its scale. */
function timesRows({ shape, data }: Tensor, scale: Tensor): Tensor<"float32"> {
  const columns = data.length / scale.data.length;
  const numbers = Float32Array.from(
    { length: data.length },
    (_, i) => Number(data[i]) * Number(scale.data[Math.floor(i / columns)]),
  );
  return { dtype: "float32", shape, data: numbers };
}
