import { concat } from "@std/bytes/concat";
import { ImageDecodeError } from "../image_decode_error.ts";
import type { ByteSource } from "../image_source.ts";

/**
 * Reads a `Blob`, a `File` or a `Response`, but no more than the limit: bytes are counted as they come.
 *
 * @throws {ImageDecodeError} if there are more bytes, or the response is an error's.
 */
export async function readBody(source: ByteSource, maxBytes: number): Promise<Uint8Array> {
  const { size, ok, status, body } = source as Partial<Blob & Response>;
  if (size !== undefined && size > maxBytes) throw tooLarge(maxBytes);
  if (ok === false) {
    await body?.cancel();
    throw new ImageDecodeError(`Cannot read the image: the response has the status ${status}`);
  }
  if (!body) return new Uint8Array(await source.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw tooLarge(maxBytes);
    }
    chunks.push(next.value);
  }
  return concat(chunks);
}

/** The error for an image of too many bytes. */
export function tooLarge(maxBytes: number): ImageDecodeError {
  return new ImageDecodeError(`Cannot read the image: it has more than ${maxBytes} bytes`);
}
