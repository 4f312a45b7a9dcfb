import { cacheFolder as folderOf } from "../../hub/cache_folder.ts";
import type { System } from "./system.ts";

/**
 * The folder for downloaded models and computed features; see `cacheFolder` of the hub.
 *
 * @throws {Error} if the variable that locates it is not set.
 * @throws {Deno.errors.NotCapable} if the environment may not be read.
 */
export async function cacheFolder(
  { env }: Pick<System, "env">,
  os: typeof Deno.build.os = Deno.build.os,
): Promise<string> {
  return await folderOf({ env, windows: os === "windows" });
}
