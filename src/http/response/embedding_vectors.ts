import { toBase64 as bytesToBase64 } from "../../tensor/base64.ts";
import { l2Normalize } from "../../tensor/l2_normalize.ts";
import { Problem } from "../problem.ts";

/** What to make of a model's vectors. */
export interface VectorOptions {
  readonly normalize: boolean;
  /** How many numbers to keep, the first ones; default is all. */
  readonly dimensions?: number | undefined;
}

/**
 * Shortens vectors and scales them to length 1, where that is asked for, in this order.
 *
 * @throws {Problem} 400 if they are to be longer than they are.
 */
export function finishVectors(
  vectors: readonly Float32Array[],
  { normalize, dimensions }: VectorOptions,
): Float32Array[] {
  return vectors.map((vector) => {
    const kept = dimensions === undefined ? vector : vector.subarray(0, dimensions);
    return normalize ? l2Normalize(kept) : kept;
  });
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

/** Vectors one after the other as little-endian float32, in base64. */
export function toBase64(vectors: readonly Float32Array[]): string {
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const view = new DataView(new ArrayBuffer(4 * length));
  let at = 0;
  for (const vector of vectors) {
    for (const x of vector) {
      view.setFloat32(at, x, true);
      at += 4;
    }
  }
  return bytesToBase64(new Uint8Array(view.buffer));
}
