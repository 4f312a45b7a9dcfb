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

/** How far a file's download is. */
export interface DownloadProgress {
  readonly file: string;
  /** The bytes that are there, with those of an earlier try. */
  readonly received: number;
  /** The bytes of the whole file, where the hub states them. */
  readonly total: number | undefined;
}

/** What {@linkcode downloadModel} needs of the world. */
export interface HubOptions {
  /** Default is the global one. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  /** The hub's address; default {@linkcode HUB}. */
  readonly endpoint?: string | undefined;
  /** An access token, for private and gated models; only the endpoint gets to see it. */
  readonly token?: string | undefined;
  /** Where downloaded files are kept. */
  readonly cacheFolder: string;
  /** Whether to take only what is in the cache; default no. */
  readonly offline?: boolean;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Waits for some milliseconds; default is a timer. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** The time in milliseconds since 1970; default is the system's. */
  readonly now?: () => number;
  /** How many milliseconds a server may stay silent before it is asked again; default 60 s. */
  readonly silence?: number;
}

/** The hub that is asked unless another one is named. */
export const HUB = "https://huggingface.co";

/** Beside the files of a model: what a program made of them, by precision. A new download removes them. */
export const CONVERTED_FILES = {
  f32: "model.onnx",
  f16: "model_f16.onnx",
  int8: "model_int8.onnx",
} as const;

/** The largest JSON file that is taken: it is read into memory. 1000 labels take some 0.1 MB. */
export const MAX_JSON_BYTES = 10_000_000;
/** The most files that an index may name: so many are downloaded. */
const MAX_SHARDS = 1000;

const INDEX = "model.safetensors.index.json";

/**
 * Downloads a model of the Hugging Face hub into the cache, unless it is there: `config.json`,
 * `preprocessor_config.json` where there is one, and the weights (`model.safetensors`, or its shards,
 * or `pytorch_model.bin`). A revision that is complete in the cache is taken without asking the hub.
 *
 * @returns the folder with the files.
 * @throws {DownloadError} if a file cannot be had; the message names it, the model and the revision.
 * @throws {Deno.errors.NotFound} if it is `offline` and the cache has not all files.
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
  // Two programs that append to the same file would spoil it.
  using lock = await Deno.open(join(folder, "download.lock"), { create: true, write: true });
  await lock.lock(true);
  const downloaded = await cachedModel(cacheFolder, name); // meanwhile, by another program
  if (downloaded !== undefined) return downloaded;
  for (const file of Object.values(CONVERTED_FILES)) await removeIfThere(join(folder, file));
  await new ModelDownload(name, folder, options).run();
  return folder;
}

class ModelDownload {
  readonly #name: HubName;
  readonly #folder: string;
  readonly #options: HubOptions;
  /** What an earlier call that did not come to its end left behind. */
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

  /** Like `#get`, but a file that an earlier call got whole is not asked for again. */
  async #getUnlessThere(file: string): Promise<boolean> {
    const size = this.#known()[file];
    if (size === undefined || !await hasSize(join(this.#folder, file), size)) {
      return await this.#get(file);
    }
    this.#files = { ...this.#files, [file]: size };
    return true;
  }

  /** Downloads a file. Returns whether there is one. */
  async #get(file: string): Promise<boolean> {
    const { repo, revision } = this.#name;
    const { endpoint = HUB } = this.#options;
    // A branch may have slashes in its name; the hub takes it as one part of the address.
    const at = encodeURIComponent(revision);
    const address = `${endpoint.replace(/\/+$/, "")}/${repo}/resolve/${at}/${file}`;
    const path = join(this.#folder, file);
    try {
      const downloaded = await downloadFile(address, path, this.#downloadOptions(file));
      if (!downloaded) {
        await removeIfThere(path); // of an earlier commit
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
      if (error instanceof Deno.errors.NotCapable) throw error; // it says what to do
      throw this.#error(file, error instanceof Error ? error.message : String(error));
    }
  }

  /** The files of an earlier call. A branch moves: those of another commit do not belong to these. */
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
      sleep: this.#options.sleep ?? sleep,
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

/** The files that an index of sharded weights names. */
function shardsOf(index: unknown): string[] {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  const files = map && typeof map === "object" ? [...new Set<unknown>(Object.values(map))] : [];
  // They become names of files here, so they must not lead elsewhere.
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

async function sleep(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
