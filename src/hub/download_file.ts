import { createHash, type Hash } from "node:crypto";
import { DownloadError } from "./download_error.ts";
import { type HubAccess, type HubAnswer, requestHub } from "./hub_request.ts";
import { readKept, removeKept, writeVersion } from "./partial_file.ts";
import { retry } from "./retry.ts";

/** The side effects and limits of a download. */
export interface DownloadOptions extends HubAccess {
  /** Resolves after this many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** The request is aborted if the server sends nothing for this many milliseconds. */
  readonly silence: number;
  /** The maximum file size in bytes; default: unlimited. */
  readonly maxBytes?: number;
  /** Called with the number of bytes received and, if known, the total. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/** The result of a complete download. */
export interface DownloadedFile {
  /** In bytes. */
  readonly size: number;
  /** The commit that the file belongs to, if the hub states it. */
  readonly commit: string | undefined;
}

/**
 * Downloads a file. An incomplete file is kept as `PATH.partial`; a later call resumes it if the
 * server still has the same version. The size and the SHA-256 are verified if the hub states them.
 *
 * @returns `undefined` if the server has no such file.
 * @throws {DownloadError} if the download fails; the message states the reason, not the file.
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
    throw new DownloadError("the file on the server changed during the download", {
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

/** Whether a response continues the partial file. */
function continues(
  { response, etag, sha256 }: HubAnswer,
  kept: { size: number; etag: string; sha256: string | undefined },
): boolean {
  return response.status === 206 && rangeOf(response)?.start === kept.size &&
    (etag ?? kept.etag) === kept.etag && sha256 === kept.sha256;
}

/** Appends a response's body to the partial file and returns the file's new size in bytes. */
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
      throw new DownloadError(`received more than the file's ${total} bytes`, {
        retry: true,
        discard: true,
      });
    }
    hash?.update(chunk);
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    onProgress?.(received, total);
  }
  if (total !== undefined && received < total) {
    throw new DownloadError(`received only ${received} of ${total} bytes`, { retry: true });
  }
  if (hash && hash.digest("hex") !== sha256) {
    throw new DownloadError("it is corrupt: its SHA-256 differs from the one that the hub states", {
      discard: true,
    });
  }
  return received;
}

/** The size of the whole file, if known. The hub's size takes precedence over the file server's. */
function totalOf({ response, linkedSize }: HubAnswer, from: number): number | undefined {
  if (linkedSize !== undefined) return linkedSize;
  const range = rangeOf(response);
  if (range) return range.total;
  // With compression, Content-Length is not the size of the file.
  if (response.headers.has("Content-Encoding")) return undefined;
  const length = response.headers.get("Content-Length");
  return length === null ? undefined : from + Number(length);
}

/** Parses `Content-Range` of a 206 response (RFC 9110, 14.4). */
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
    await reader.cancel().catch(() => {}); // rejects if the connection broke
  }
}

async function hashFile(path: string, hash: Hash): Promise<void> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read; (read = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, read));
}

/** Aborts a request when its server has sent nothing for too long. */
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

  /** Restarts the timer. */
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
