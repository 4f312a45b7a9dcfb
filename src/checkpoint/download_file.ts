import { createHash, type Hash } from "node:crypto";
import { DownloadError } from "./download_error.ts";
import { type HubAccess, type HubAnswer, requestHub } from "./hub_request.ts";
import { readKept, removeKept, writeVersion } from "./partial_file.ts";
import { retry } from "./retry.ts";

/** What a download needs of the world, and whom it tells. */
export interface DownloadOptions extends HubAccess {
  /** Waits for some milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** How many milliseconds a server may stay silent before the connection counts as lost. */
  readonly silence: number;
  /** The most bytes that the file may have; default is any number. */
  readonly maxBytes?: number;
  /** Called with the bytes there are and, where known, the bytes there will be. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/** A file that was downloaded. */
export interface DownloadedFile {
  readonly size: number;
  /** The commit that it is of, where the hub states it. */
  readonly commit: string | undefined;
}

/**
 * Downloads a file. Until it is whole it is kept as `PATH.partial`, and a later call goes on from
 * there if the server still has the same version. Its size, and its SHA-256 where the hub states one,
 * are checked.
 *
 * @returns nothing if there is no such file.
 * @throws {DownloadError} if it cannot be had; the message says why, but not which file it is.
 */
export async function downloadFile(
  address: string,
  path: string,
  options: DownloadOptions,
): Promise<DownloadedFile | undefined> {
  return await retry(async () => {
    try {
      return await tryDownload(address, path, options);
    } catch (error) {
      if (error instanceof DownloadError && error.discard) await removeKept(path);
      throw error;
    }
  }, options.sleep);
}

async function tryDownload(
  address: string,
  path: string,
  options: DownloadOptions,
): Promise<DownloadedFile | undefined> {
  const kept = await readKept(path);
  using watchdog = new Watchdog(options.silence);
  const headers = kept && { Range: `bytes=${kept.size}-`, "If-Range": kept.etag };
  const answer = await requestHub(address, headers ?? {}, options, watchdog.signal);
  const { response } = answer;
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  if (response.status !== 200 && !(kept && continues(answer, kept))) {
    await response.body?.cancel();
    throw new DownloadError("its parts are of different versions", {
      retry: true,
      after: 0,
      discard: true,
    });
  }
  const from = response.status === 206 ? kept!.size : 0;
  if (from === 0) {
    await removeKept(path);
    await writeVersion(path, answer);
  }
  const size = await receive(answer, path, from, options, watchdog);
  await Deno.rename(`${path}.partial`, path);
  await removeKept(path);
  return { size, commit: answer.commit };
}

/** Whether an answer is the rest of what is there. */
function continues(
  { response, etag, sha256 }: HubAnswer,
  kept: { size: number; etag: string; sha256: string | undefined },
): boolean {
  return response.status === 206 && rangeOf(response)?.start === kept.size &&
    (etag ?? kept.etag) === kept.etag && sha256 === kept.sha256;
}

/** Streams an answer to the end of the partial file. Returns how many bytes that has then. */
async function receive(
  answer: HubAnswer,
  path: string,
  from: number,
  { maxBytes = Infinity, onProgress }: DownloadOptions,
  watchdog: Watchdog,
): Promise<number> {
  const { response, sha256 } = answer;
  const total = totalOf(answer, from);
  const tooLarge = () => new DownloadError(`it has more than ${maxBytes} bytes`, { discard: true });
  if ((total ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const hash = sha256 === undefined ? undefined : createHash("sha256");
  if (from > 0 && hash) await hashFile(`${path}.partial`, hash);
  const mode = from > 0 ? { append: true } : { write: true, truncate: true };
  using file = await Deno.open(`${path}.partial`, { create: true, ...mode });
  let received = from;
  onProgress?.(received, total);
  for await (const chunk of bytesOf(response, watchdog)) {
    received += chunk.length;
    if (received > maxBytes) throw tooLarge();
    if (received > (total ?? Infinity)) {
      throw new DownloadError(`more than the ${total} bytes of the file came`, {
        retry: true,
        discard: true,
      });
    }
    hash?.update(chunk);
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    onProgress?.(received, total);
  }
  if (total !== undefined && received < total) {
    throw new DownloadError(`only ${received} of ${total} bytes came`, { retry: true });
  }
  if (hash && hash.digest("hex") !== sha256) {
    throw new DownloadError("it is corrupt: its SHA-256 is not the one that the hub states", {
      discard: true,
    });
  }
  return received;
}

/** The size of the whole file, where an answer states it. The hub's word counts more than a server's. */
function totalOf({ response, linkedSize }: HubAnswer, from: number): number | undefined {
  if (linkedSize !== undefined) return linkedSize;
  const range = rangeOf(response);
  if (range) return range.total;
  // The length of something compressed is not the file's.
  if (response.headers.has("Content-Encoding")) return undefined;
  const length = response.headers.get("Content-Length");
  return length === null ? undefined : from + Number(length);
}

/** Reads the `Content-Range` of a part (RFC 9110, 14.4). */
function rangeOf(response: Response): { start: number; total: number | undefined } | undefined {
  if (response.status !== 206) return undefined;
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/
    .exec(response.headers.get("Content-Range") ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), total: total === "*" ? undefined : Number(total) };
}

async function* bytesOf(response: Response, watchdog: Watchdog): AsyncGenerator<Uint8Array> {
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
    await reader.cancel().catch(() => {}); // it may be broken already
  }
}

async function hashFile(path: string, hash: Hash): Promise<void> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read; (read = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, read));
}

/** Ends a request when its server has been silent for too long. */
class Watchdog implements Disposable {
  readonly #controller = new AbortController();
  readonly #silence: number;
  #timer: ReturnType<typeof setTimeout>;

  constructor(silence: number) {
    this.#silence = silence;
    this.#timer = this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The server has said something. */
  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#controller.abort(new Error(`the server was silent for ${this.#silence / 1000} s`));
    }, this.#silence);
  }
}
