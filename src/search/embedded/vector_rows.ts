import { l2Normalize } from "../../tensor/l2_normalize.ts";
import { toFloat16 } from "../../tensor/float16.ts";

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

/** The bytes of halves, without a copy. */
export function bytesOfHalves({ buffer, byteOffset, byteLength }: Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Halves of bytes as a database gives them, which may lie anywhere. */
export function halvesOfBytes(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.slice().buffer);
}
