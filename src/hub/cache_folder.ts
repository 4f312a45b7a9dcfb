import { isAbsolute, join } from "@std/path";
import { hasFileSystem } from "./file_system.ts";

/** How {@linkcode cacheFolder} finds the folder. */
export interface CacheFolderOptions {
  /** Returns an environment variable; default: the process's own. */
  readonly env?: (name: string) => string | undefined | Promise<string | undefined>;
  /** Whether the system is Windows; default: whether it is. */
  readonly windows?: boolean;
}

/**
 * The folder for downloaded models and computed features, which the command line uses, too:
 * `$XDG_CACHE_HOME/vit-msn-edge` or `~/.cache/vit-msn-edge`, on Windows `%LOCALAPPDATA%\vit-msn-edge`.
 *
 * @throws {Error} if the variable that locates it is not set, or the host has no file system. In Deno also
 * `Deno.errors.NotCapable`, if the environment may not be read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cacheFolder } from "./cache_folder.ts";
 *
 * const env = (name: string) => ({ HOME: "/home/ann" })[name];
 * assertEquals(await cacheFolder({ env, windows: false }), "/home/ann/.cache/vit-msn-edge");
 * ```
 */
export async function cacheFolder(
  { env = processEnv, windows = onWindows() }: CacheFolderOptions = {},
): Promise<string> {
  if (!hasFileSystem()) {
    throw new Error("Cannot locate the cache folder: this host has no file system");
  }
  if (windows) return join(folderIn("LOCALAPPDATA", await env("LOCALAPPDATA")), NAME);
  const cache = await env("XDG_CACHE_HOME");
  // The XDG Base Directory Specification says to ignore a relative path.
  if (cache && isAbsolute(cache)) return join(cache, NAME);
  return join(folderIn("HOME", await env("HOME")), ".cache", NAME);
}

const NAME = "vit-msn-edge";

interface Process {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
}

function hostProcess(): Process | undefined {
  return (globalThis as { process?: Process }).process;
}

function processEnv(name: string): string | undefined {
  return hostProcess()?.env[name];
}

function onWindows(): boolean {
  return hostProcess()?.platform === "win32";
}

function folderIn(variable: string, value: string | undefined): string {
  if (value) return value;
  throw new Error(`Cannot locate the cache folder: ${variable} is not set`);
}
