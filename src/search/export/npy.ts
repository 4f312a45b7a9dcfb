/**
 * The header of a NumPy file, format version 1.0, of a float16 matrix whose rows follow it.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @returns a multiple of 64 bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { npyHeader } from "./npy.ts";
 *
 * const text = new TextDecoder("latin1").decode(npyHeader(3, 192));
 * assertEquals(text.slice(1, 6), "NUMPY");
 * assertEquals(text.length % 64, 0);
 * ```
 */
export function npyHeader(rows: number, columns: number): Uint8Array {
  const dictionary = `{'descr': '<f2', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const start = 10; // the magic string, the version and the length
  const length = Math.ceil((start + dictionary.length + 1) / 64) * 64 - start;
  const header = new Uint8Array(start + length);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  header.set(new TextEncoder().encode(dictionary.padEnd(length - 1) + "\n"), start);
  return header;
}
