import { concat } from "@std/bytes/concat";
import { globToRegExp, isGlob, join, normalize } from "@std/path";

/** An image to read, or why an argument gives none. */
export interface ImageFile {
  /** As the user would name it; `-` is standard input. */
  readonly file: string;
  /** What was wrong with the argument, in which case there is nothing to read. */
  readonly error?: string;
}

/** The endings by which a folder's images are told from its other files. */
const EXTENSIONS = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif"];

/**
 * Finds the images that arguments name: files, folders with all that is below them, globs, and `-`.
 * What is found in a folder is in alphabetical order; names with a leading dot are left out.
 */
export async function findImageFiles(args: readonly string[]): Promise<ImageFile[]> {
  const found: ImageFile[] = [];
  for (const arg of args) found.push(...await findOne(arg));
  return found;
}

async function findOne(arg: string): Promise<ImageFile[]> {
  if (arg === "-") return [{ file: arg }];
  try {
    const { isDirectory } = await Deno.stat(arg);
    if (!isDirectory) return [{ file: arg }];
    const files = (await walk(arg)).filter(hasImageExtension);
    return files.length > 0
      ? files.map((file) => ({ file }))
      : [{ file: arg, error: `no image is in this folder (${EXTENSIONS.join(" ")})` }];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && isGlob(arg)) return await findGlob(arg);
    return [{ file: arg, error: fileErrorMessage(error) }];
  }
}

async function findGlob(glob: string): Promise<ImageFile[]> {
  const pattern = globToRegExp(normalize(glob), { extended: true, globstar: true });
  // The folder above the first part with a wildcard is where to look.
  const parts = glob.split("/");
  const base = parts.slice(0, parts.findIndex((part) => isGlob(part))).join("/");
  const root = base === "" ? (glob.startsWith("/") ? "/" : ".") : base;
  const files = (await walk(root)).filter((file) => pattern.test(normalize(file)));
  return files.length > 0
    ? files.map((file) => ({ file }))
    : [{ file: glob, error: "no file matches" }];
}

async function walk(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  const files: string[] = [];
  for (const { name, isDirectory } of entries) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    if (isDirectory) files.push(...await walk(path));
    else files.push(path);
  }
  return files;
}

function hasImageExtension(file: string): boolean {
  return EXTENSIONS.some((extension) => file.toLowerCase().endsWith(extension));
}

/**
 * Reads an image file, or standard input for `-`.
 *
 * @throws {Error} if it cannot be read or has more than `maxBytes`; the message fits behind the file's
 * name.
 */
export async function readImageFile(
  { file, error }: ImageFile,
  stdin: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  if (error !== undefined) throw new Error(error);
  if (file === "-") return await readLimited(stdin, maxBytes);
  try {
    using handle = await Deno.open(file);
    return await readLimited(handle.readable, maxBytes);
  } catch (error) {
    throw new Error(fileErrorMessage(error));
  }
}

/** Stops at the limit, however long the stream would go on. */
async function readLimited(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return concat(chunks);
}

/** Says what is wrong with a file, in words that fit behind its name. */
export function fileErrorMessage(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.NotADirectory) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return "no permission to read it";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
