import { join } from "@std/path";
import type { HubName } from "./hub_name.ts";

/** What is known of a revision's folder in the cache. It is kept in the folder as `download.json`. */
export interface CacheState extends HubName {
  /** The commit that the files are of, where the hub states it. */
  readonly commit?: string | undefined;
  /** Whether all files are there; this is written last. */
  readonly complete: boolean;
  /** The sizes of the files that are there. */
  readonly files: Readonly<Record<string, number>>;
}

const STATE_FILE = "download.json";

/** The folder of a revision: `<cache>/<org>--<name>/<revision with / replaced by -->`. */
export function hubFolder(cacheFolder: string, { repo, revision }: HubName): string {
  return join(cacheFolder, repo.replace("/", "--"), revision.replaceAll("/", "--"));
}

/**
 * The folder of a model that is in the cache with all its files.
 *
 * @returns nothing if it is not.
 */
export async function cachedModel(
  cacheFolder: string,
  name: HubName,
): Promise<string | undefined> {
  const folder = hubFolder(cacheFolder, name);
  const state = await readState(folder, name);
  return state?.complete && (await missingFiles(folder, state)).length === 0 ? folder : undefined;
}

/** What is missing in the cache, in words that fit behind a model's name. */
export async function whatIsMissing(cacheFolder: string, name: HubName): Promise<string> {
  const folder = hubFolder(cacheFolder, name);
  const state = await readState(folder, name);
  if (!state) return `it is not in the cache folder ${cacheFolder}`;
  const missing = await missingFiles(folder, state);
  if (missing.length > 0) return `${folder} has lost its ${missing.join(", ")}`;
  const there = Object.keys(state.files).join(", ");
  return `its download was interrupted: of its files, ${folder} has only ${there}`;
}

/**
 * Reads what is known of a folder.
 *
 * @returns nothing if it is of another model, whose name makes the same path, or nothing is known.
 */
export async function readState(folder: string, name: HubName): Promise<CacheState | undefined> {
  try {
    const text = await Deno.readTextFile(join(folder, STATE_FILE));
    const state: CacheState | null = JSON.parse(text);
    const same = state?.repo === name.repo && state.revision === name.revision;
    return same && state.files && typeof state.files === "object" ? state : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes it whole or not at all. */
export async function writeState(folder: string, state: CacheState): Promise<void> {
  const path = join(folder, STATE_FILE);
  await Deno.writeTextFile(`${path}.unfinished`, JSON.stringify(state, null, 2) + "\n");
  await Deno.rename(`${path}.unfinished`, path);
}

/** Whether a file is there and has a size. */
export async function hasSize(path: string, size: number | undefined): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size === size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function missingFiles(folder: string, { files }: CacheState): Promise<string[]> {
  const missing = [];
  for (const [file, size] of Object.entries(files)) {
    if (!await hasSize(join(folder, file), size)) missing.push(file);
  }
  return missing;
}
