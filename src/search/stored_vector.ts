import { toFloat16, toFloat32 } from "../tensor/float16.ts";
import { l2Normalize } from "../tensor/l2_normalize.ts";

/**
 * A vector as an index keeps it: scaled to length 1, in float16.
 *
 * @throws {RangeError} if it has another size, or a number that is not finite.
 */
export function toStoredVector(vector: Float32Array, dimension: number): Uint16Array {
  if (vector.length !== dimension) {
    throw new RangeError(
      `Cannot index a vector of ${vector.length} numbers: those of the index have ${dimension}`,
    );
  }
  if (!vector.every(Number.isFinite)) {
    throw new RangeError("Cannot index a vector: it has numbers that are not finite");
  }
  const data = l2Normalize(vector);
  return toFloat16({ dtype: "float32", shape: [dimension], data }).data as Uint16Array;
}

/** The numbers of a vector that an index keeps. */
export function fromStoredVector(data: Uint16Array): Float32Array {
  return toFloat32({ dtype: "float16", shape: [data.length], data }).data as Float32Array;
}
