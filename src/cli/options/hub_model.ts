import { join } from "@std/path";
import { CONVERTED_FILES } from "../../hub/converted_files.ts";
import { downloadModel } from "../../hub/hub.ts";
import { cachedModel, hasFile } from "../../hub/hub_cache.ts";
import type { HubName } from "../../hub/hub_name.ts";
import { HUB } from "../../hub/hub_options.ts";
import { cacheFolder } from "./cache_folder.ts";
import { errorMessage, type Option, UsageError } from "../command.ts";
import { convertCheckpoint } from "./convert_checkpoint.ts";
import { DownloadBar } from "../output/progress/download_progress.ts";
import type { Dtype } from "./model_folder.ts";
import type { Terminal } from "../output/terminal.ts";

/** The option `--offline` of every command that accepts a model from the hub. */
export const OFFLINE_OPTION = {
  help: "Download nothing; a hub model must already be in the cache",
} as const satisfies Option;

/**
 * Downloads a hub model into the user's cache, unless it is cached, and draws a progress bar.
 *
 * @returns the folder with its files.
 * @throws {Error} if the download fails; the message names the model and first says that no such path
 * exists, because the argument may be a mistyped path.
 */
export async function downloadHubModel(
  name: HubName,
  offline: boolean,
  terminal: Terminal,
): Promise<string> {
  try {
    return await download(name, offline, terminal);
  } catch (error) {
    const given = name.revision === "main" ? name.repo : `${name.repo}@${name.revision}`;
    throw new Error(
      `no file or folder ${given} exists, and downloading it from the hub failed: ` +
        errorMessage(error),
    );
  }
}

async function download(
  name: HubName,
  offline: boolean,
  { stderr, system }: Terminal,
): Promise<string> {
  const cache = await cacheFolder(system);
  const cached = await cachedModel(cache, name);
  if (cached !== undefined) return cached;
  if (offline) return await downloadModel(name, { cacheFolder: cache, offline });
  const endpoint = endpointOf(await system.env("HF_ENDPOINT"));
  const token = tokenOf(await system.env("HF_TOKEN"));
  await system.allowWrite(cache);
  const bar = new DownloadBar(stderr);
  try {
    return await downloadModel(name, {
      cacheFolder: cache,
      endpoint,
      token,
      fetch: (url, init) => system.fetch(url, init),
      onProgress: (progress) => bar.show(progress),
    });
  } finally {
    bar.clear();
  }
}

/**
 * Returns the path of a hub model's ONNX file with the given dtype, converting it on first use and
 * caching the result.
 *
 * @throws {Error} if the model cannot be downloaded or converted; the message names it or its file.
 */
export async function hubModelFile(
  name: HubName,
  dtype: Dtype,
  offline: boolean,
  terminal: Terminal,
): Promise<string> {
  if (dtype === "q4") {
    throw new UsageError("--dtype is q4, which cannot be converted from a checkpoint");
  }
  const folder = await downloadHubModel(name, offline, terminal);
  const file = join(folder, CONVERTED_FILES[dtype]);
  if (await hasFile(file)) return file;
  await terminal.system.allowWrite(await cacheFolder(terminal.system));
  await convertCheckpoint(folder, file, { dtype }, (message) => {
    terminal.stderr.write(`${name.repo}: ${message}\n`);
  });
  return file;
}

/** @throws {Error} if it is not an HTTP URL. */
function endpointOf(value: string | undefined): string {
  if (value === undefined) return HUB;
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? "")) return value;
  throw new Error(`Cannot use HF_ENDPOINT: it is ${value}, not a URL such as ${HUB}`);
}

/** @throws {Error} if it cannot be sent in a header; the message omits the secret. */
function tokenOf(value: string | undefined): string | undefined {
  if (value === undefined || /^[\x21-\x7e]+$/.test(value)) return value;
  throw new Error("Cannot use HF_TOKEN: it contains spaces or invalid characters");
}
