import { dirname, join } from "@std/path";
import { DownloadError } from "./download_error.ts";
import { downloadFile } from "./download_file.ts";
import { toDownloadOptions } from "./download_options.ts";
import { fileAddress } from "./file_address.ts";
import { isNotCapable } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";
import { type CacheState, hasSize, readState, writeState } from "./hub_cache.ts";
import { type HubName, hubNameText } from "./hub_name.ts";
import { HUB, type HubOptions } from "./hub_options.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** Limits how many downloads an index can cause. */
const MAX_SHARDS = 1000;

const INDEX = "model.safetensors.index.json";

/** A download of a revision's files into its cache folder, by whoever holds the folder's lock. */
export class ModelDownload {
  readonly #name: HubName;
  /** With the revision as the user states it. */
  readonly #stated: HubName;
  readonly #folder: string;
  readonly #options: HubOptions;
  /** The state that an interrupted call left. */
  #before: CacheState | undefined;
  #commit: string | undefined;
  #files: CacheState["files"] = {};

  /**
   * @param folder of the cache; it must exist.
   * @param goesOn the state to go on with: more files of its commit are downloaded, even if the branch has
   * moved.
   */
  constructor(name: HubName, folder: string, options: HubOptions, goesOn?: CacheState) {
    this.#name = name;
    this.#folder = folder;
    this.#options = options;
    if (goesOn) {
      this.#commit = goesOn.commit;
      this.#files = goesOn.files;
      this.#name = { ...name, revision: goesOn.commit ?? name.revision };
    }
    this.#stated = name;
  }

  /** Downloads a checkpoint: config, image processor and weights. */
  async getCheckpoint(): Promise<void> {
    this.#before = await readState(this.#folder, this.#stated);
    if (!await this.get("config.json")) throw this.#error("config.json", NOT_THERE);
    await this.get("preprocessor_config.json");
    await this.#getWeights();
    await this.save(true);
  }

  async #getWeights(): Promise<void> {
    if (await this.#getUnlessThere("model.safetensors")) return;
    if (await this.get(INDEX)) {
      for (const shard of shardsOf(await this.#readIndex())) {
        if (!await this.#getUnlessThere(shard)) throw this.#error(shard, NOT_THERE);
      }
      return;
    }
    if (await this.#getUnlessThere("pytorch_model.bin")) return;
    throw this.#error(`model.safetensors, ${INDEX} or pytorch_model.bin`, NOT_THERE);
  }

  /** Like `get`, but skips a file that an earlier call has completed. */
  async #getUnlessThere(file: string): Promise<boolean> {
    const size = this.#known()[file];
    if (size === undefined || !await hasSize(join(this.#folder, file), size)) {
      return await this.get(file);
    }
    this.#files = { ...this.#files, [file]: size };
    return true;
  }

  /** Downloads a file and returns whether it exists on the hub. */
  async get(file: string): Promise<boolean> {
    const address = fileAddress(this.#options.endpoint ?? HUB, this.#name, file);
    const path = join(this.#folder, file);
    try {
      await fileSystem().mkdir(dirname(path), { recursive: true });
      const downloaded = await downloadFile(address, path, toDownloadOptions(this.#options, file));
      if (!downloaded) {
        await removeIfThere(path); // may remain from an earlier commit
        return false;
      }
      this.#commit ??= downloaded.commit;
      if (downloaded.commit !== undefined && downloaded.commit !== this.#commit) {
        await removeIfThere(path);
        throw new DownloadError("the revision has changed since the first file; try again");
      }
      this.#files = { ...this.#files, [file]: downloaded.size };
      await this.save(false);
      return true;
    } catch (error) {
      if (isNotCapable(error)) throw error; // its message names the missing permission
      this.#options.signal?.throwIfAborted();
      throw this.#error(file, error instanceof Error ? error.message : String(error));
    }
  }

  /** Removes a file that turned out not to be needed. */
  async forget(file: string): Promise<void> {
    const { [file]: size, ...others } = this.#files;
    if (size === undefined) return;
    await removeIfThere(join(this.#folder, file));
    this.#files = others;
  }

  /** The files of an earlier call, if they belong to the same commit; a branch may have moved. */
  #known(): CacheState["files"] {
    const same = this.#commit !== undefined && this.#before?.commit === this.#commit;
    return same && this.#before ? this.#before.files : {};
  }

  /**
   * Records what is there.
   *
   * @param complete whether that is a whole checkpoint.
   * @param absent what the hub does not have, if all is there that was wanted.
   */
  async save(complete: boolean, absent?: readonly string[]): Promise<void> {
    const files = complete ? this.#files : { ...this.#known(), ...this.#files };
    await writeState(this.#folder, {
      ...this.#stated,
      commit: this.#commit,
      complete,
      files,
      ...(absent ? { absent } : {}),
    });
  }

  async #readIndex(): Promise<unknown> {
    try {
      return JSON.parse(await fileSystem().readFile(join(this.#folder, INDEX), "utf8"));
    } catch (error) {
      throw error instanceof SyntaxError ? this.#error(INDEX, "it is not JSON") : error;
    }
  }

  #error(file: string, reason: string): DownloadError {
    return new DownloadError(`Cannot download ${file} of ${hubNameText(this.#stated)}: ${reason}`);
  }
}

const NOT_THERE = "the hub has no such file at that revision (HTTP 404)";

/** Returns the distinct file names in an index of sharded weights. */
function shardsOf(index: unknown): string[] {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  const files = map && typeof map === "object" ? [...new Set<unknown>(Object.values(map))] : [];
  // They become local file names, so they must not contain a path.
  const plain = files.filter((file): file is string =>
    typeof file === "string" && /^\w[\w.-]*\.safetensors$/.test(file)
  );
  if (plain.length === 0 || plain.length < files.length || plain.length > MAX_SHARDS) {
    throw new DownloadError(
      `Cannot use ${INDEX}: its weight_map does not name 1 to ${MAX_SHARDS} .safetensors files`,
    );
  }
  return plain;
}
