import { DType } from "../../src/runtime/simd/structs.ts";
import { numbers, type Random } from "./numbers.ts";

/** The types of weights with their names in tests. */
export const DTYPES = [[DType.F32, "f32"], [DType.F16, "f16"], [DType.I8, "int8"]] as const;

/** A linear layer, not packed. */
export interface Layer {
  readonly dtype: number;
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs][inputs] */
  readonly weight: Float32Array;
  readonly scale: Float32Array;
  readonly bias: Float32Array;
}

/** A layer whose weights its type can have. */
export function randomLayer(random: Random, dtype: number, inputs: number, outputs: number): Layer {
  const weight = numbers(random, outputs * inputs).map((v) =>
    dtype === DType.F32 ? v : dtype === DType.F16 ? Math.f16round(v) : Math.floor(64 * v)
  );
  const scale = Float32Array.from({ length: outputs }, () => (1 + random()) / 64);
  return { dtype, inputs, outputs, weight, scale, bias: numbers(random, outputs) };
}

/** A layer's weights as the type that they have. */
export function stored({ dtype, weight }: Layer): Float32Array | Uint16Array | Int8Array {
  if (dtype === DType.F32) return weight;
  if (dtype === DType.I8) return Int8Array.from(weight);
  return new Uint16Array(Float16Array.from(weight).buffer);
}
