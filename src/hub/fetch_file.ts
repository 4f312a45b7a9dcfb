import { sha256 } from "../tensor/sha256.ts";
import { corrupt, type DownloadOptions } from "./download_file.ts";
import { requestHub } from "./hub_request.ts";
import { assertSize, responseBytes, totalOf } from "./response_bytes.ts";
import { retry } from "./retry.ts";
import { Watchdog } from "./watchdog.ts";

/** A file that was fetched whole. */
export interface FetchedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The commit that the file belongs to, if the hub states it. */
  readonly commit: string | undefined;
}

/**
 * Downloads a file into memory. The size and the SHA-256 are verified if the hub states them.
 *
 * @returns `undefined` if the server has no such file.
 * @throws {DownloadError} if the download fails; the message states the reason, not the file.
 */
export async function fetchFile(
  address: string,
  options: DownloadOptions,
): Promise<FetchedFile | undefined> {
  return await retry(() => tryFetch(address, options), options.sleep, options.signal);
}

async function tryFetch(
  address: string,
  options: DownloadOptions,
): Promise<FetchedFile | undefined> {
  using watchdog = new Watchdog(options.silence, options.signal);
  const answer = await requestHub(address, {}, options, watchdog.signal);
  if (answer.response.status === 404 || isPage(answer.response)) {
    await answer.response.body?.cancel();
    return undefined;
  }
  await assertSize(answer, 0, options);
  const buffer = new GrowingBytes(totalOf(answer, 0));
  for await (const chunk of responseBytes(answer, 0, options, watchdog)) buffer.push(chunk);
  const bytes = buffer.whole();
  // Pages that are not served securely have no way to compute it.
  const canHash = globalThis.crypto?.subtle !== undefined;
  if (canHash && answer.sha256 !== undefined && await sha256(bytes) !== answer.sha256) {
    throw corrupt();
  }
  return { bytes, commit: answer.commit };
}

/** Servers of web applications answer with their start page in place of a file that they do not have. */
function isPage({ headers }: Response): boolean {
  return headers.get("Content-Type")?.startsWith("text/html") ?? false;
}

/** Bytes that arrive in pieces. With a size that is known, they are in memory once. */
class GrowingBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(size = 1 << 16) {
    this.#bytes = new Uint8Array(size);
  }

  push(chunk: Uint8Array): void {
    const end = this.#length + chunk.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = end;
  }

  whole(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}
