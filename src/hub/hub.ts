import { join } from "@std/path";
import { cacheFolder } from "./cache_folder.ts";
import { CONVERTED_FILES } from "./converted_files.ts";
import { fileSystem } from "./file_system.ts";
import { FolderLock } from "./folder_lock.ts";
import { cachedModel, hubFolder, whatIsMissing } from "./hub_cache.ts";
import { type HubName, hubNameText } from "./hub_name.ts";
import type { HubOptions } from "./hub_options.ts";
import { MissingFileError } from "./missing_file_error.ts";
import { ModelDownload } from "./model_download.ts";
import { removeIfThere } from "./remove_if_there.ts";

/**
 * Downloads a model from the Hugging Face hub into the cache: `config.json`,
 * `preprocessor_config.json` if it exists, and the weights (`model.safetensors`, or its shards, or
 * `pytorch_model.bin`). A complete download is never refreshed; delete its folder to update.
 *
 * @returns the path of the folder that holds the files.
 * @throws {DownloadError} if a download fails; the message names the file, the model and the revision.
 * @throws {MissingFileError} if `offline` is set and the cache lacks a file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { downloadModel } from "./hub.ts";
 *
 * const file = (text: string) => new Response(text); // in place of the hub
 * const files = new Map([["config.json", "{}"], ["model.safetensors", "weights"]]);
 * const name = { repo: "org/name", revision: "main" };
 * const folder = await downloadModel(name, {
 *   cacheFolder: "test/example-cache",
 *   fetch: ({ pathname }) => {
 *     const text = files.get(pathname.split("/").at(-1)!);
 *     return Promise.resolve(text ? file(text) : new Response(null, { status: 404 }));
 *   },
 * });
 * assertEquals(await Deno.readTextFile(`${folder}/model.safetensors`), "weights");
 * await Deno.remove("test/example-cache", { recursive: true });
 * ```
 */
export async function downloadModel(name: HubName, options: HubOptions = {}): Promise<string> {
  const cache = options.cacheFolder ?? await cacheFolder();
  const cached = await cachedModel(cache, name);
  if (cached !== undefined) return cached;
  if (options.offline) {
    throw new MissingFileError(
      `Cannot use ${hubNameText(name)} offline: ${await whatIsMissing(cache, name)}`,
    );
  }
  const folder = hubFolder(cache, name);
  await fileSystem().mkdir(folder, { recursive: true });
  // Two processes that append to the same partial file would corrupt it.
  await using _lock = await lockFolder(folder, options.signal);
  // Another process may have completed the download while this one waited for the lock.
  const downloaded = await cachedModel(cache, name);
  if (downloaded !== undefined) return downloaded;
  for (const file of Object.values(CONVERTED_FILES)) await removeIfThere(join(folder, file));
  await new ModelDownload(name, folder, options).getCheckpoint();
  return folder;
}

/** Waits until no other process downloads into a folder. */
export async function lockFolder(folder: string, signal?: AbortSignal): Promise<FolderLock> {
  return await FolderLock.acquire(join(folder, "download.lock"), { signal });
}
