import { join } from "@std/path";
import { CONVERTED_FILES, downloadModel, HUB } from "../../hub/hub.ts";
import { cachedModel } from "../../hub/hub_cache.ts";
import { type HubName, parseHubName } from "../../hub/hub_name.ts";
import { cacheFolder } from "./cache_folder.ts";
import { errorMessage, type Option, UsageError } from "../command.ts";
import { convertCheckpoint } from "./convert_checkpoint.ts";
import { DownloadBar } from "../output/download_progress.ts";
import type { Dtype } from "./model_folder.ts";
import type { Terminal } from "../output/terminal.ts";

/** The option `--offline` of every command that takes a model of the hub. */
export const OFFLINE_OPTION = {
  help: "Download nothing: a model of the hub must be in the cache",
} as const satisfies Option;

/**
 * Reads an argument as the name of a model of the hub.
 *
 * @returns nothing if it is a path: something is there, or it ends as a model's file does.
 */
export async function hubNameOf(argument: string): Promise<HubName | undefined> {
  if (/\.(onnx|safetensors|bin|pth|pth\.tar)$/.test(argument)) return undefined;
  const name = parseHubName(argument);
  return name && !await exists(argument) ? name : undefined;
}

/**
 * Downloads a model of the hub into the user's cache, unless it is there, and draws a progress bar.
 *
 * @returns the folder with its files.
 * @throws {Error} if it cannot be had; the message names it, and says first that it is no path: a name
 * may be a mistyped one.
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
      `no file or folder ${given} is here, and as a model of the hub it cannot be had: ` +
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
 * The ONNX file of a model of the hub, in a precision. It is made when it is asked for first, and kept in the cache.
 *
 * @throws {Error} if the model cannot be had, or not be converted; the message names it or its file.
 */
export async function hubModelFile(
  name: HubName,
  dtype: Dtype,
  offline: boolean,
  terminal: Terminal,
): Promise<string> {
  if (dtype === "q4") throw new UsageError("--dtype is q4, which is not made of checkpoints");
  const folder = await downloadHubModel(name, offline, terminal);
  const file = join(folder, CONVERTED_FILES[dtype]);
  if (await exists(file)) return file;
  await terminal.system.allowWrite(await cacheFolder(terminal.system));
  await convertCheckpoint(folder, file, { dtype }, (message) => {
    terminal.stderr.write(`${name.repo}: ${message}\n`);
  });
  return file;
}

/** @throws {Error} if it is no address of a server. */
function endpointOf(value: string | undefined): string {
  if (value === undefined) return HUB;
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? "")) return value;
  throw new Error(`Cannot use HF_ENDPOINT: it is ${value}, not an address such as ${HUB}`);
}

/** @throws {Error} if it cannot be sent in a header; the message does not give it away. */
function tokenOf(value: string | undefined): string | undefined {
  if (value === undefined || /^[\x21-\x7e]+$/.test(value)) return value;
  throw new Error("Cannot use HF_TOKEN: it has spaces, or characters that no token has");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
