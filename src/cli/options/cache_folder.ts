import { isAbsolute, join } from "@std/path";
import type { System } from "./system.ts";

/**
 * The folder for downloaded models and computed features: `$XDG_CACHE_HOME/vit-msn-edge` or `~/.cache/vit-msn-edge`, on
 * Windows `%LOCALAPPDATA%\vit-msn-edge`.
 *
 * @throws {Error} if the variable that locates it is not set.
 * @throws {Deno.errors.NotCapable} if the environment may not be read.
 */
export async function cacheFolder(
  { env }: Pick<System, "env">,
  os: typeof Deno.build.os = Deno.build.os,
): Promise<string> {
  if (os === "windows") return join(folderIn("LOCALAPPDATA", await env("LOCALAPPDATA")), NAME);
  const cache = await env("XDG_CACHE_HOME");
  // The XDG Base Directory Specification says to ignore a relative path.
  if (cache !== undefined && isAbsolute(cache)) return join(cache, NAME);
  return join(folderIn("HOME", await env("HOME")), ".cache", NAME);
}

const NAME = "vit-msn-edge";

function folderIn(variable: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new Error(`Cannot locate the cache folder: ${variable} is not set`);
}
