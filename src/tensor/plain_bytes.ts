/**
 * A plain view of bytes that a caller gives. A `Buffer` of Node.js is a `Uint8Array`, too, but its
 * `slice()` is a view and its memory a pool's, which other buffers share.
 *
 * @returns the same bytes, not a copy.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Buffer } from "node:buffer";
 * import { plainBytes } from "./plain_bytes.ts";
 *
 * const bytes = plainBytes(Buffer.from("abc"));
 * bytes.slice()[0] = 0; // of a copy
 * assertEquals(bytes, Uint8Array.of(97, 98, 99));
 * ```
 */
export function plainBytes<B extends ArrayBufferLike>(bytes: Uint8Array<B>): Uint8Array<B> {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
