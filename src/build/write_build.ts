import { dirname, join } from "@std/path";
import { sha256 } from "../tensor/sha256.ts";
import { writeFile } from "../hub/write_file.ts";

/** The list of a bundle's files with their SHA-256, by which the next build knows them. */
const MANIFEST = ".vit-msn-edge.json";

/** SHA-256 sums that the files may have, by path. */
type Manifest = Record<string, readonly string[]>;

/** The most names in an error message. */
const MAX_NAMES = 3;

/**
 * Writes a build's files. It overwrites nothing but an earlier build: a folder that is not empty must
 * contain one, and only files that are unchanged since are replaced or removed.
 *
 * @param out the folder; it is created if it is missing.
 * @param files what to write, by path below `out`.
 * @param force whether to overwrite other files.
 * @throws {Error} if the folder has other files, which the message names, or a file cannot be written.
 */
export async function writeBuild(
  out: string,
  files: ReadonlyMap<string, Uint8Array>,
  { force }: { force: boolean },
): Promise<void> {
  if (!force) await assertReplaceable(out, files);
  const before = await readManifest(out) ?? {};
  await writeManifest(out, files, false); // so that an interrupted build is recognised
  for (const [path, bytes] of files) {
    await Deno.mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), [bytes]);
  }
  await removeStale(out, before, files);
  await writeManifest(out, files, true);
}

/** Removes unchanged files that only the earlier build had. */
async function removeStale(
  out: string,
  before: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const [path, digests] of Object.entries(before)) {
    // A list must not name files outside the folder.
    if (files.has(path) || path.split(/[\\/]/).includes("..")) continue;
    const digest = await digestOf(join(out, path));
    if (digest !== undefined && digests?.includes(digest)) await Deno.remove(join(out, path));
  }
}

/** @throws {Error} if the folder has files of no earlier build; the message names them. */
async function assertReplaceable(
  out: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const there = await namesIn(out);
  const manifest = await readManifest(out);
  // Builds of earlier versions left no list.
  const isOld = !manifest && there.length > 0 &&
    there.every((name) => [...files.keys()].some((path) => topOf(path) === name)) &&
    (await Promise.all([...files.keys()].map((path) => digestOf(join(out, path))))).every(Boolean);
  if (isOld) return;
  const foreign = manifest ? [] : there;
  for (const path of manifest ? files.keys() : []) {
    const digest = await digestOf(join(out, path));
    if (digest !== undefined && !manifest?.[path]?.includes(digest)) foreign.push(path);
  }
  if (foreign.length === 0) return;
  const names = foreign.slice(0, MAX_NAMES).join(", ") + (foreign.length > MAX_NAMES ? ", …" : "");
  throw new Error(
    `Cannot build into ${out}: what is there was not made by \`deno task build\`, or changed since ` +
      `(${names}); choose another folder with --out, or add --force to overwrite it`,
  );
}

/** Writes the list. Until the build is done, it also accepts the earlier files. */
async function writeManifest(
  out: string,
  files: ReadonlyMap<string, Uint8Array>,
  isDone: boolean,
): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  const digests: Manifest = {};
  for (const [path, bytes] of files) {
    const before = isDone ? undefined : await digestOf(join(out, path));
    digests[path] = [await sha256(bytes), ...(before === undefined ? [] : [before])];
  }
  await writeFile(join(out, MANIFEST), [
    new TextEncoder().encode(JSON.stringify(digests, null, 2) + "\n"),
  ]);
}

/** The first part of a path. */
function topOf(path: string): string {
  return path.split(/[\\/]/)[0]!;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    return names.filter((name) => name !== MANIFEST).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    const isFile = error instanceof Deno.errors.NotADirectory;
    throw new Error(`Cannot build into ${folder}: ${isFile ? "it is a file" : error}`);
  }
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const json: unknown = JSON.parse(await Deno.readTextFile(join(folder, MANIFEST)));
    return typeof json === "object" && json !== null ? json as Manifest : undefined;
  } catch {
    return undefined;
  }
}

async function digestOf(path: string): Promise<string | undefined> {
  try {
    return await sha256(await Deno.readFile(path));
  } catch {
    return undefined;
  }
}
