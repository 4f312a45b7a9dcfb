import { delay } from "@std/async/delay";
import { join } from "@std/path";
import { DownloadError } from "./download_error.ts";
import { downloadFile, type DownloadOptions } from "./download_file.ts";
import {
  cachedModel,
  type CacheState,
  hasSize,
  hubFolder,
  readState,
  whatIsMissing,
  writeState,
} from "./hub_cache.ts";
import type { HubName } from "./hub_name.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** The progress of one file's download. */
export interface DownloadProgress {
  readonly file: string;
  /** Bytes received, including those kept from an earlier attempt. */
  readonly received: number;
  /** The file's size in bytes, if the hub states it. */
  readonly total: number | undefined;
}

/** Options of {@linkcode downloadModel}. */
export interface HubOptions {
  /** Default: the global `fetch`. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  /** The hub's address; default {@linkcode HUB}. */
  readonly endpoint?: string | undefined;
  /** An access token for private and gated models. It is sent only to the endpoint. */
  readonly token?: string | undefined;
  /** The folder in which downloaded files are kept. */
  readonly cacheFolder: string;
  /** Whether to use only the cache; default `false`. */
  readonly offline?: boolean;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Resolves after this many milliseconds; default: a timer. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** Returns the time in milliseconds since 1970; default: `Date.now`. */
  readonly now?: () => number;
  /** A request is retried if the server sends nothing for this many milliseconds; default 60,000. */
  readonly silence?: number;
}

/** The default hub. */
export const HUB = "https://huggingface.co";

/** Names of converted models in a model's cache folder, by precision. A new download removes them. */
export const CONVERTED_FILES = {
  f32: "model.onnx",
  f16: "model_f16.onnx",
  int8: "model_int8.onnx",
} as const;

/** JSON files are read into memory, so their size is limited. 1000 labels take about 0.1 MB. */
export const MAX_JSON_BYTES = 10_000_000;
/** Limits how many downloads an index can cause. */
const MAX_SHARDS = 1000;

const INDEX = "model.safetensors.index.json";

/**
 * Downloads a model from the Hugging Face hub into the cache: `config.json`,
 * `preprocessor_config.json` if it exists, and the weights (`model.safetensors`, or its shards, or
 * `pytorch_model.bin`). A complete download is never refreshed; delete its folder to update.
 *
 * @returns the path of the folder that holds the files.
 * @throws {DownloadError} if a download fails; the message names the file, the model and the revision.
 * @throws {Deno.errors.NotFound} if `offline` is set and the cache lacks a file.
 */
export async function downloadModel(name: HubName, options: HubOptions): Promise<string> {
  const { cacheFolder } = options;
  const cached = await cachedModel(cacheFolder, name);
  if (cached !== undefined) return cached;
  if (options.offline) {
    throw new Deno.errors.NotFound(
      `Cannot use ${label(name)} offline: ${await whatIsMissing(cacheFolder, name)}`,
    );
  }
  const folder = hubFolder(cacheFolder, name);
  await Deno.mkdir(folder, { recursive: true });
  // Two processes that append to the same partial file would corrupt it.
  using lock = await Deno.open(join(folder, "download.lock"), { create: true, write: true });
  await lock.lock(true);
  // Another process may have completed the download while this one waited for the lock.
  const downloaded = await cachedModel(cacheFolder, name);
  if (downloaded !== undefined) return downloaded;
  for (const file of Object.values(CONVERTED_FILES)) await removeIfThere(join(folder, file));
  await new ModelDownload(name, folder, options).run();
  return folder;
}

class ModelDownload {
  readonly #name: HubName;
  readonly #folder: string;
  readonly #options: HubOptions;
  /** The state that an interrupted call left. */
  #before: CacheState | undefined;
  #commit: string | undefined;
  #files: CacheState["files"] = {};

  constructor(name: HubName, folder: string, options: HubOptions) {
    this.#name = name;
    this.#folder = folder;
    this.#options = options;
  }

  async run(): Promise<void> {
    this.#before = await readState(this.#folder, this.#name);
    if (!await this.#get("config.json")) throw this.#error("config.json", NOT_THERE);
    await this.#get("preprocessor_config.json");
    await this.#getWeights();
    await this.#save(true);
  }

  async #getWeights(): Promise<void> {
    if (await this.#getUnlessThere("model.safetensors")) return;
    if (await this.#get(INDEX)) {
      for (const shard of shardsOf(await this.#readIndex())) {
        if (!await this.#getUnlessThere(shard)) throw this.#error(shard, NOT_THERE);
      }
      return;
    }
    if (await this.#getUnlessThere("pytorch_model.bin")) return;
    throw this.#error(`model.safetensors, ${INDEX} or pytorch_model.bin`, NOT_THERE);
  }

  /** Like `#get`, but skips a file that an earlier call has completed. */
  async #getUnlessThere(file: string): Promise<boolean> {
    const size = this.#known()[file];
    if (size === undefined || !await hasSize(join(this.#folder, file), size)) {
      return await this.#get(file);
    }
    this.#files = { ...this.#files, [file]: size };
    return true;
  }

  /** Downloads a file and returns whether it exists on the hub. */
  async #get(file: string): Promise<boolean> {
    const { repo, revision } = this.#name;
    const { endpoint = HUB } = this.#options;
    // A branch name may contain slashes, but must be one segment of the URL's path.
    const at = encodeURIComponent(revision);
    const address = `${endpoint.replace(/\/+$/, "")}/${repo}/resolve/${at}/${file}`;
    const path = join(this.#folder, file);
    try {
      const downloaded = await downloadFile(address, path, this.#downloadOptions(file));
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
      await this.#save(false);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error; // its message names the missing permission
      throw this.#error(file, error instanceof Error ? error.message : String(error));
    }
  }

  /** The files of an earlier call, if they belong to the same commit; a branch may have moved. */
  #known(): CacheState["files"] {
    const same = this.#commit !== undefined && this.#before?.commit === this.#commit;
    return same && this.#before ? this.#before.files : {};
  }

  async #save(complete: boolean): Promise<void> {
    const files = complete ? this.#files : { ...this.#known(), ...this.#files };
    await writeState(this.#folder, {
      ...this.#name,
      commit: this.#commit,
      complete,
      files,
    });
  }

  #downloadOptions(file: string): DownloadOptions {
    const { onProgress } = this.#options;
    return {
      fetch: this.#options.fetch ?? fetch,
      endpoint: this.#options.endpoint ?? HUB,
      token: this.#options.token,
      now: this.#options.now ?? Date.now,
      sleep: this.#options.sleep ?? delay,
      silence: this.#options.silence ?? 60_000,
      onProgress: onProgress && ((received, total) => onProgress({ file, received, total })),
      ...(file.endsWith(".json") ? { maxBytes: MAX_JSON_BYTES } : {}),
    };
  }

  async #readIndex(): Promise<unknown> {
    try {
      return JSON.parse(await Deno.readTextFile(join(this.#folder, INDEX)));
    } catch (error) {
      throw error instanceof SyntaxError ? this.#error(INDEX, "it is not JSON") : error;
    }
  }

  #error(file: string, reason: string): DownloadError {
    return new DownloadError(`Cannot download ${file} of ${label(this.#name)}: ${reason}`);
  }
}

const NOT_THERE = "the hub has no such file at that revision (HTTP 404)";

function label({ repo, revision }: HubName): string {
  return `${repo}@${revision}`;
}

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
