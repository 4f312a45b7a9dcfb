import { DownloadError } from "./download_error.ts";
import { toDownloadOptions } from "./download_options.ts";
import { fetchFile } from "./fetch_file.ts";
import { isNotCapable } from "./file_error_code.ts";
import { fileAddress } from "./file_address.ts";
import { type HubName, hubNameText } from "./hub_name.ts";
import { HUB, type HubOptions } from "./hub_options.ts";
import type { ModelFolder } from "./model_folder.ts";

/** The methods of a browser's `Cache` that are used. */
export type WebCache = Pick<Cache, "match" | "put">;

/** Options of a {@linkcode WebFolder}: those of a download, and a cache. */
export interface WebFolderOptions extends HubOptions {
  /** What is in it is not fetched; default: everything is fetched. */
  readonly cache?: WebCache | undefined;
}

const COMMIT = "X-Repo-Commit";
const LENGTH = "Content-Length";

/** A repository of the hub or a folder at an address, whose files are fetched into memory. */
export class WebFolder implements ModelFolder {
  /** `org/name@revision`, or the address. */
  readonly name: string;
  readonly #of: HubName | URL;
  readonly #options: WebFolderOptions;
  /** The addresses of files that the server does not have. */
  readonly #absent = new Set<string>();
  #commit: string | undefined;

  /** @param of a repository, or an address whose path ends in `/`; its query is sent for each file. */
  constructor(of: HubName | URL, options: WebFolderOptions) {
    this.name = of instanceof URL ? of.href : hubNameText(of);
    this.#of = of;
    // A token is for the server of the folder.
    this.#options = of instanceof URL ? { ...options, endpoint: of.origin } : options;
  }

  /** The name or address of a file, for messages. */
  locate(file: string): string {
    return this.#of instanceof URL ? this.#address(file) : `${file} of ${this.name}`;
  }

  /**
   * Fetches a file; `undefined` if the server has none.
   *
   * @throws {DownloadError} if that fails; the message names the file.
   */
  async read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const key = this.#address(file);
    const cached = await this.#options.cache?.match(key);
    if (cached) {
      if (cached.status === 404) return undefined;
      const bytes = new Uint8Array(await cached.arrayBuffer());
      if (bytes.length === Number(cached.headers.get(LENGTH))) {
        this.#commit ??= cached.headers.get(COMMIT) ?? undefined;
        return bytes;
      }
    }
    const bytes = await this.#fetch(file);
    if (bytes) await this.#keep(key, bytes);
    else this.#absent.add(key);
    return bytes;
  }

  /** Records that all was read that is needed, so that the server is not asked again for what it has not. */
  async complete(): Promise<void> {
    for (const key of this.#absent) await this.#put(key, new Response(null, { status: 404 }));
  }

  async #fetch(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const options = toDownloadOptions(this.#options, file);
      // All files come from one commit, even if the branch moves meanwhile.
      const fetched = await fetchFile(this.#address(file, this.#commit), options);
      if (!fetched) return undefined;
      this.#commit ??= fetched.commit;
      if (fetched.commit !== undefined && fetched.commit !== this.#commit) {
        throw new DownloadError("the revision has changed since the first file; try again");
      }
      return fetched.bytes;
    } catch (error) {
      if (isNotCapable(error)) throw error; // its message names the missing permission
      this.#options.signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      throw new DownloadError(`Cannot download ${this.locate(file)}: ${reason}`);
    }
  }

  #address(file: string, commit?: string): string {
    if (this.#of instanceof URL) {
      const url = new URL(file, this.#of);
      url.search = this.#of.search;
      return url.href;
    }
    const name = { ...this.#of, revision: commit ?? this.#of.revision };
    return fileAddress(this.#options.endpoint ?? HUB, name, file);
  }

  async #keep(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const commit = this.#commit === undefined ? {} : { [COMMIT]: this.#commit };
    const headers = { ...commit, [LENGTH]: String(bytes.length) };
    await this.#put(key, new Response(bytes, { headers }));
  }

  /** A full cache is no reason to fail. */
  async #put(key: string, response: Response): Promise<void> {
    await this.#options.cache?.put(key, response).catch(() => {});
  }
}

/**
 * Opens a browser's cache.
 *
 * @returns `undefined` if the host has none, or does not allow it, as in a private window.
 */
export async function openWebCache(name: string): Promise<WebCache | undefined> {
  try {
    return await globalThis.caches?.open(name);
  } catch {
    return undefined;
  }
}
