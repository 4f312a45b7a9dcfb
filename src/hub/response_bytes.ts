import { DownloadError } from "./download_error.ts";
import type { HubAnswer } from "./hub_request.ts";
import type { Watchdog } from "./watchdog.ts";

/** The limits of what is received, and who follows it. */
export interface ReceiveOptions {
  /** The maximum file size in bytes; default: unlimited. */
  readonly maxBytes?: number;
  /** Called with the number of bytes received and, if known, the total. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/**
 * Checks the size that a response states, before its body is read.
 *
 * @throws {DownloadError} if it is more than the maximum.
 */
export async function assertSize(
  answer: HubAnswer,
  from: number,
  { maxBytes = Infinity }: ReceiveOptions,
): Promise<void> {
  if ((totalOf(answer, from) ?? 0) <= maxBytes) return;
  await answer.response.body?.cancel();
  throw tooLarge(maxBytes);
}

/**
 * The body of a response, piece by piece, as it arrives.
 *
 * @param from how many bytes of the file are there already.
 * @throws {DownloadError} if the connection breaks, or it has fewer or more bytes than it states.
 */
export async function* responseBytes(
  answer: HubAnswer,
  from: number,
  { maxBytes = Infinity, onProgress }: ReceiveOptions,
  watchdog: Watchdog,
): AsyncGenerator<Uint8Array> {
  const total = totalOf(answer, from);
  // Pages do not see whether a server has compressed the bytes; their browsers notice what is missing.
  const stated = answer.linkedSize ?? (answer.response.type === "cors" ? undefined : total);
  let received = from;
  onProgress?.(received, total);
  for await (const chunk of bodyOf(answer.response, watchdog)) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge(maxBytes);
    if (received > (stated ?? Infinity)) {
      throw new DownloadError(`received more than the file's ${stated} bytes`, {
        retry: true,
        discard: true,
      });
    }
    yield chunk;
    onProgress?.(received, total);
  }
  if (stated !== undefined && received < stated) {
    throw new DownloadError(`received only ${received} of ${stated} bytes`, { retry: true });
  }
}

function tooLarge(maxBytes: number): DownloadError {
  return new DownloadError(`it has more than ${maxBytes} bytes`, { discard: true });
}

async function* bodyOf(response: Response, watchdog: Watchdog): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    while (true) {
      const { done, value } = await reader.read().catch((error: Error) => {
        throw new DownloadError(`the connection broke: ${error.message}`, { retry: true });
      });
      if (done) return;
      watchdog.feed();
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // rejects if the connection broke
  }
}

/**
 * The size of the whole file in bytes, if known. The hub's size takes precedence over the file server's.
 *
 * @param from how many bytes of the file are there already.
 */
export function totalOf({ response, linkedSize }: HubAnswer, from: number): number | undefined {
  if (linkedSize !== undefined) return linkedSize;
  const range = rangeOf(response);
  if (range) return range.total;
  // With compression, Content-Length is not the size of the file.
  if (response.headers.has("Content-Encoding")) return undefined;
  const length = response.headers.get("Content-Length");
  return length === null ? undefined : from + Number(length);
}

/** Parses `Content-Range` of a 206 response (RFC 9110, 14.4). */
export function rangeOf(
  response: Response,
): { start: number; total: number | undefined } | undefined {
  if (response.status !== 206) return undefined;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/
    .exec(response.headers.get("Content-Range") ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), total: total === "*" ? undefined : Number(total) };
}
