import { readBytes } from "../hub/read_whole.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import type { ExplainMissing, ImageFile, ImageRange } from "./image_files.ts";
import { readLimited, tooLong } from "./read_limited.ts";
import { isS3Url } from "./s3/s3_url.ts";

/**
 * Reads an image file, an object of S3 (`s3://bucket/key`), or standard input for `-`.
 *
 * @param stdin standard input, for `-`.
 * @param signal ends what takes long: to wait for a server.
 * @throws {Error} if it cannot be read or has more than `maxBytes`; the message fits after the
 * file's name.
 */
export async function readImageFile(
  { file, error, range }: ImageFile,
  stdin: ReadableStream<Uint8Array>,
  maxBytes: number,
  explainMissing: ExplainMissing = () => undefined,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (error !== undefined) throw new Error(error);
  if (file === "-") return await readLimited(stdin, maxBytes);
  if (isS3Url(file)) {
    const { readS3Object } = await import("./s3/read_s3_object.ts");
    return await readS3Object(file, maxBytes, { signal });
  }
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
