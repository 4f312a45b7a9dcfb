import { concat } from "@std/bytes/concat";

/**
 * Reads a stream and stops at a limit.
 *
 * @throws {Error} if it has more than `maxBytes`.
 */
export async function readLimited(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  return concat(chunks);
}

/** The error of a file over the limit. */
export function tooLong(maxBytes: number): Error {
  return new RangeError(`it has more than ${maxBytes} bytes`);
}
