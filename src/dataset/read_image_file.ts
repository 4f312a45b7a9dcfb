import { concat } from "@std/bytes/concat";
import { readBytes } from "../hub/read_whole.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import type { ExplainMissing, ImageFile, ImageRange } from "./image_files.ts";

/**
 * Reads an image file, or standard input for `-`.
 *
 * @param stdin standard input, for `-`.
 * @throws {Error} if it cannot be read or has more than `maxBytes`; the message fits after the
 * file's name.
 */
export async function readImageFile(
  { file, error, range }: ImageFile,
  stdin: ReadableStream<Uint8Array>,
  maxBytes: number,
  explainMissing: ExplainMissing = () => undefined,
): Promise<Uint8Array> {
  if (error !== undefined) throw new Error(error);
  if (file === "-") return await readLimited(stdin, maxBytes);
  try {
    using handle = await Deno.open(range?.file ?? file);
    if (range) return await readRange(handle, range, maxBytes);
    const { isFile, size } = await handle.stat();
    if (!isFile) return await readLimited(handle.readable, maxBytes);
    if (size > maxBytes) throw tooLong(maxBytes);
    return await readBytes(handle, size);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    throw new Error(isMissing && explainMissing(file) || readErrorMessage(error));
  }
}

/** Reads a part of a file. */
async function readRange(
  handle: Deno.FsFile,
  { file, offset, size }: ImageRange,
  maxBytes: number,
): Promise<Uint8Array> {
  if (size > maxBytes) throw tooLong(maxBytes);
  await handle.seek(offset, Deno.SeekMode.Start);
  const bytes = await readBytes(handle, size);
  if (bytes.length < size) throw new Error(`${file} ends before the image does`);
  return bytes;
}

/** Stops reading at the limit. */
async function readLimited(
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

function tooLong(maxBytes: number): Error {
  return new Error(`it has more than ${maxBytes} bytes`);
}
