import { join } from "@std/path";
import { isMissingFile } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";
import type { HubName } from "./hub_name.ts";

/** The state of a revision's cache folder, stored there as `download.json`. */
export interface CacheState extends HubName {
  /** The commit that the files belong to, if the hub states it. */
  readonly commit?: string | undefined;
  /** Whether the download is complete; `true` is written last. */
  readonly complete: boolean;
  /** The sizes in bytes of the downloaded files, by name. */
  readonly files: Readonly<Record<string, number>>;
  /** What the hub did not have when `fromPretrained` had all that it needed. */
  readonly absent?: readonly string[] | undefined;
}

const STATE_FILE = "download.json";

/** Returns the cache folder of a revision: `<cache>/<org>--<name>/<revision with / replaced by -->`. */
export function hubFolder(cacheFolder: string, { repo, revision }: HubName): string {
  return join(cacheFolder, repo.replace("/", "--"), revision.replaceAll("/", "--"));
}

/**
 * Looks a model up in the cache.
 *
 * @returns its folder, or `undefined` if it is not complete in the cache.
 */
export async function cachedModel(
  cacheFolder: string,
  name: HubName,
): Promise<string | undefined> {
  const folder = hubFolder(cacheFolder, name);
  const state = await readState(folder, name);
  return state?.complete && (await missingFiles(folder, state)).length === 0 ? folder : undefined;
}

/** Explains why a model is not usable from the cache; the text follows `Cannot use MODEL: `. */
export async function whatIsMissing(cacheFolder: string, name: HubName): Promise<string> {
  const folder = hubFolder(cacheFolder, name);
  const state = await readState(folder, name);
  if (!state) return `it is not in the cache folder ${cacheFolder}`;
  const missing = await missingFiles(folder, state);
  if (missing.length > 0) return `${folder} no longer has ${missing.join(", ")}`;
  const there = Object.keys(state.files).join(", ");
  return `its download was interrupted; ${folder} has only ${there}`;
}

/**
 * Reads the state of a cache folder.
 *
 * @returns `undefined` if the state is missing or damaged, or belongs to another model whose name maps
 * to the same folder.
 */
export async function readState(folder: string, name: HubName): Promise<CacheState | undefined> {
  try {
    const text = await fileSystem().readFile(join(folder, STATE_FILE), "utf8");
    const state: CacheState | null = JSON.parse(text);
    const same = state?.repo === name.repo && state.revision === name.revision;
    return same && state.files && typeof state.files === "object" ? state : undefined;
  } catch (error) {
    if (isMissingFile(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes the state atomically. */
export async function writeState(folder: string, state: CacheState): Promise<void> {
  const path = join(folder, STATE_FILE);
  const { writeFile, rename } = fileSystem();
  await writeFile(`${path}.unfinished`, JSON.stringify(state, null, 2) + "\n");
  await rename(`${path}.unfinished`, path);
}

/** Whether a file exists and has that size in bytes. */
export async function hasSize(path: string, size: number | undefined): Promise<boolean> {
  return size !== undefined && await sizeOf(path) === size;
}

/** Whether a file exists. */
export async function hasFile(path: string): Promise<boolean> {
  return await sizeOf(path) !== undefined;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await fileSystem().stat(path)).size;
  } catch (error) {
    if (isMissingFile(error)) return undefined;
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
