import { dirname, join } from "@std/path";
import { sha256 } from "../tensor/sha256.ts";
import { writeFile } from "../hub/write_file.ts";

/** Beside a bundle: which files it has, with their SHA-256, so that the next build knows its own. */
const MANIFEST = ".vit-msn-edge.json";

/** SHA-256 sums that the files may have, by path. */
type Manifest = Record<string, readonly string[]>;

/** More names than these say no more. */
const MAX_NAMES = 3;

/**
 * Writes a build's files. It destroys nothing but an earlier build: into a folder that is not empty it
 * goes only if a build was there before, and it replaces or removes only files that are as that build wrote
 * them.
 *
 * @param out the folder; it is made if it is not there.
 * @param files what to write, by path below `out`.
 * @param force whether to overwrite what else is there.
 * @throws {Error} if something else is there, which the message names, or a file cannot be written.
 */
export async function writeBuild(
  out: string,
  files: ReadonlyMap<string, Uint8Array>,
  { force }: { force: boolean },
): Promise<void> {
  if (!force) await assertReplaceable(out, files);
  const before = await readManifest(out) ?? {};
  await writeManifest(out, files, false); // an interrupted build is known for one, too
  for (const [path, bytes] of files) {
    await Deno.mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), [bytes]);
  }
  await removeStale(out, before, files);
  await writeManifest(out, files, true);
}

/** Removes what only the earlier build had, unless it has changed since. */
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

/** @throws {Error} if something else than an earlier build is there; the message names it. */
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

/** Notes what a build writes. Unless it is done, files may still be what they were. */
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

/** The file or folder right in the build's folder that a path begins with. */
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
