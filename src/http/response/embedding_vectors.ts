import { toBase64 as bytesToBase64 } from "../../tensor/base64.ts";
import { l2Normalize } from "../../tensor/l2_normalize.ts";
import { stackRows } from "../../tensor/stack_rows.ts";
import { tensorBytes } from "../../tensor/tensor.ts";
import { Problem } from "../problem.ts";

/** What to make of a model's vector. */
export interface VectorOptions {
  readonly normalize: boolean;
  /** How many numbers to keep, the first ones; default is all. */
  readonly dimensions?: number | undefined;
}

/** Shortens a vector and scales it to length 1, where that is asked for, in this order. */
export function finishVector(
  vector: Float32Array,
  { normalize, dimensions }: VectorOptions,
): Float32Array {
  const kept = vector.subarray(0, dimensions);
  return normalize ? l2Normalize(kept) : kept;
}

/**
 * Holds the number of dimensions that a client wants against the model's.
 *
 * @throws {Problem} 400 if they are more.
 */
export function assertDimensions(dimensions: number | undefined, hiddenSize: number): void {
  if (dimensions !== undefined && dimensions > hiddenSize) {
    throw new Problem(
      400,
      `dimensions is ${dimensions}, but the model's vectors have ${hiddenSize}`,
    );
  }
}

/** Vectors of equal length one after the other as little-endian float32, in base64. */
export function toBase64(vectors: readonly Float32Array[]): string {
  return bytesToBase64(tensorBytes(stackRows(vectors)));
}
