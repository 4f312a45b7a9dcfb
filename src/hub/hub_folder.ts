import { join } from "@std/path";
import { CONVERTED_FILES } from "./converted_files.ts";
import { DownloadError } from "./download_error.ts";
import { fileErrorCode, isNotCapable } from "./file_error_code.ts";
import { writeErrorMessage } from "./file_error.ts";
import { fileSystem } from "./file_system.ts";
import type { FolderLock } from "./folder_lock.ts";
import { lockFolder } from "./hub.ts";
import { type CacheState, hasSize, hubFolder, readState } from "./hub_cache.ts";
import { type HubName, hubNameText } from "./hub_name.ts";
import type { HubOptions } from "./hub_options.ts";
import { ModelDownload } from "./model_download.ts";
import type { ModelFolder } from "./model_folder.ts";
import { readWhole } from "./read_whole.ts";
import { removeIfThere } from "./remove_if_there.ts";
import { writeFile } from "./write_file.ts";

/** A data type of converted models. */
type Dtype = keyof typeof CONVERTED_FILES;

/**
 * A repository of the hub on a host with files. What is read is downloaded into the cache of the command
 * line first, and never again. From the first download until it is disposed of, it holds the folder's lock.
 */
export class HubFolder implements ModelFolder, AsyncDisposable {
  /** `org/name@revision`. */
  readonly name: string;
  readonly #of: HubName;
  readonly #folder: string;
  readonly #options: HubOptions;
  readonly #absent = new Set<string>();
  #state: CacheState | undefined;
  #lock: FolderLock | undefined;
  #download: ModelDownload | undefined;

  private constructor(of: HubName, folder: string, options: HubOptions) {
    this.name = hubNameText(of);
    this.#of = of;
    this.#folder = folder;
    this.#options = options;
  }

  /** Opens a repository's folder in the cache, which need not exist. */
  static async open(of: HubName, cacheFolder: string, options: HubOptions): Promise<HubFolder> {
    const folder = new HubFolder(of, hubFolder(cacheFolder, of), options);
    await folder.#readState();
    return folder;
  }

  /** The name of a file, for messages. */
  locate(file: string): string {
    return `${file} of ${this.name}`;
  }

  /**
   * Reads a file; `undefined` if the hub has none.
   *
   * @throws {DownloadError} if its download fails.
   */
  async read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (await this.#isCached(file)) return await readWhole(this.#path(file));
    if (this.#isAbsent(file)) return undefined;
    this.#download ??= await this.#start();
    // Another process may have downloaded it meanwhile.
    if (await this.#isCached(file)) return await readWhole(this.#path(file));
    if (!this.#isAbsent(file) && await this.#download.get(file)) {
      return await readWhole(this.#path(file));
    }
    this.#absent.add(file);
    return undefined;
  }

  /** Reads the model that the checkpoint was converted to; `undefined` if it was not converted yet. */
  async readConverted(dtype: Dtype): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = CONVERTED_FILES[dtype];
    if (!this.#state?.complete || this.#state.files[file] !== undefined) return undefined;
    for (const [needed, size] of Object.entries(this.#state.files)) {
      if (!await hasSize(this.#path(needed), size)) return undefined;
    }
    try {
      return await readWhole(this.#path(file));
    } catch (error) {
      if (fileErrorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /**
   * Records that all was read that is needed, so that the hub is not asked again.
   *
   * @param checkpoint whether that was a checkpoint.
   */
  async complete(checkpoint: boolean): Promise<void> {
    if (!this.#download) return;
    // Converted models get these names; another tool made the repository's own.
    if (checkpoint) {
      for (const file of Object.values(CONVERTED_FILES)) await this.#download.forget(file);
    }
    await this.#download.save(checkpoint, [...this.#absent]);
  }

  /** Keeps a converted model. A cache that may only be read stays as it is. */
  async writeConverted(dtype: Dtype, bytes: Uint8Array): Promise<void> {
    try {
      await writeFile(this.#path(CONVERTED_FILES[dtype]), [bytes]);
    } catch (error) {
      if (!isReadOnly((error as Error).cause)) throw error;
    }
  }

  /** Gives up the lock. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock?.[Symbol.asyncDispose]();
  }

  #path(file: string): string {
    return join(this.#folder, file);
  }

  /** Takes the state as it is, if its files surely come from one commit. */
  async #readState(): Promise<void> {
    const state = await readState(this.#folder, this.#of);
    const isSure = state?.complete || state?.commit !== undefined || state?.absent !== undefined;
    this.#state = isSure ? state : undefined;
    for (const file of this.#state?.absent ?? []) this.#absent.add(file);
  }

  async #isCached(file: string): Promise<boolean> {
    const size = this.#state?.files[file];
    return size !== undefined && await hasSize(this.#path(file), size);
  }

  /** What a whole checkpoint does not need is not asked for. */
  #isAbsent(file: string): boolean {
    const { complete, files = {} } = this.#state ?? {};
    return this.#absent.has(file) || complete === true && files[file] === undefined;
  }

  async #start(): Promise<ModelDownload> {
    try {
      await fileSystem().mkdir(this.#folder, { recursive: true });
      this.#lock = await lockFolder(this.#folder, this.#options.signal);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (isNotCapable(error)) throw error;
      const code = fileErrorCode(error) ?? "";
      const isFile = ["ENOTDIR", "EEXIST"].includes(code);
      const reason = isFile ? "a file is in its place" : writeErrorMessage(error);
      throw new Error(
        `Cannot write the cache folder ${this.#folder}: ${reason}; ` +
          "choose another one as cache, or set cache to false",
      );
    }
    const before = this.#state;
    await this.#readState();
    if (before && before.commit !== this.#state?.commit) {
      throw new DownloadError(
        `Cannot download ${this.name}: another process downloads another commit of it; try again`,
      );
    }
    if (!this.#state) {
      for (const file of Object.values(CONVERTED_FILES)) await removeIfThere(this.#path(file));
    }
    return new ModelDownload(this.#of, this.#folder, this.#options, this.#state);
  }
}

function isReadOnly(error: unknown): boolean {
  const code = fileErrorCode(error);
  return code === "EACCES" || code === "EPERM" || code === "EROFS" || isNotCapable(error);
}
