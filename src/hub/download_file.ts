import { nodeBuiltin, type NodeBuiltins } from "../host/node_builtin.ts";
import { DownloadError } from "./download_error.ts";
import { fileSystem } from "./file_system.ts";
import { type HubAccess, type HubAnswer, requestHub } from "./hub_request.ts";
import { readKept, removeKept, writeVersion } from "./partial_file.ts";
import { assertSize, rangeOf, type ReceiveOptions, responseBytes } from "./response_bytes.ts";
import { retry } from "./retry.ts";
import { Watchdog } from "./watchdog.ts";
import { writeAll } from "./write_file.ts";

/** The side effects and limits of a download. */
export interface DownloadOptions extends HubAccess, ReceiveOptions {
  /** Resolves after this many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** The request is aborted if the server sends nothing for this many milliseconds. */
  readonly silence: number;
  /** Ends the download. */
  readonly signal?: AbortSignal | undefined;
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
  return await retry(
    async () => {
      try {
        return await tryDownload(address, path, options);
      } catch (error) {
        if (error instanceof DownloadError && error.discard) await removeKept(path);
        throw error;
      }
    },
    options.sleep,
    options.signal,
  );
}

async function tryDownload(
  address: string,
  path: string,
  options: DownloadOptions,
): Promise<DownloadedFile | undefined> {
  const kept = await readKept(path);
  using watchdog = new Watchdog(options.silence, options.signal);
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
  await fileSystem().rename(`${path}.partial`, path);
  await removeKept(path);
  return { size, commit: answer.commit };
}

/** The error of a file that is not the one that the hub has. */
export function corrupt(): DownloadError {
  return new DownloadError("it is corrupt: its SHA-256 differs from the one that the hub states", {
    discard: true,
  });
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
  options: DownloadOptions,
  watchdog: Watchdog,
): Promise<number> {
  const { sha256 } = answer;
  await assertSize(answer, from, options);
  const hash = sha256 === undefined ? undefined : sha256Hash();
  if (from > 0 && hash) await hashFile(`${path}.partial`, hash);
  const file = await fileSystem().open(`${path}.partial`, from > 0 ? "a" : "w");
  let received = from;
  try {
    for await (const chunk of responseBytes(answer, from, options, watchdog)) {
      hash?.update(chunk);
      await writeAll(file, chunk);
      received += chunk.length;
    }
  } finally {
    await file.close();
  }
  if (hash && hash.digest("hex") !== sha256) {
    throw corrupt();
  }
  return received;
}

type Hash = ReturnType<NodeBuiltins["node:crypto"]["createHash"]>;

function sha256Hash(): Hash {
  return nodeBuiltin("node:crypto")!.createHash("sha256"); // hosts with files have it
}

async function hashFile(path: string, hash: Hash): Promise<void> {
  const file = await fileSystem().open(path);
  try {
    const buffer = new Uint8Array(1 << 20);
    for (let read; (read = (await file.read(buffer, 0, buffer.length, null)).bytesRead) > 0;) {
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    await file.close();
  }
}
