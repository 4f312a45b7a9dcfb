import { fromStoredVector } from "../stored_vector.ts";

/** The digits that tell any two float16 numbers apart. */
const DIGITS = 5;

/** float16 bits as pgvector reads a vector. */
export function halvesToText(halves: Uint16Array): string {
  return `[${
    Array.from(fromStoredVector(halves), (x) => Number(x.toPrecision(DIGITS))).join(",")
  }]`;
}

/** Numbers as pgvector reads a vector. */
export function numbersToText(numbers: Float32Array): string {
  return `[${numbers.join(",")}]`;
}

/**
 * float16 bits of the hexadecimal digits of `halfvec_send`: the number of numbers and a zero, of 16 bits each, and
 * the numbers, the high byte first.
 */
export function halvesOfHex(hex: string): Uint16Array {
  return Uint16Array.from(
    { length: hex.length / 4 - 2 },
    (_, i) => Number.parseInt(hex.slice(4 * i + 8, 4 * i + 12), 16),
  );
}
