import { concat } from "@std/bytes/concat";
import { globToRegExp, isGlob, join, normalize } from "@std/path";
import { readBytes } from "../checkpoint/read_whole.ts";
import { readErrorMessage } from "./file_error.ts";

/** An image to read, or why an argument gives none. */
export interface ImageFile {
  /** As the user would name it; `-` is standard input. */
  readonly file: string;
  /** What was wrong, in which case there is nothing to read. */
  readonly error?: string;
}

/** The endings by which a folder's images are told from its other files. */
const EXTENSIONS = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp"];

/**
 * Finds the images that arguments name: files, folders with all that is below them, globs, and `-`.
 * What is found in a folder is in alphabetical order. Names with a leading dot are left out, and so
 * are links to folders.
 */
export async function findImageFiles(args: readonly string[]): Promise<ImageFile[]> {
  const found: ImageFile[] = [];
  for (const arg of args) {
    if (arg === "-" && found.some(({ file }) => file === "-")) {
      found.push({ file: arg, error: "standard input is read already" });
    } else found.push(...await findOne(arg));
  }
  return found;
}

async function findOne(arg: string): Promise<ImageFile[]> {
  if (arg === "-") return [{ file: arg }];
  try {
    const { isDirectory } = await Deno.stat(arg);
    return isDirectory ? await findInFolder(arg) : [{ file: arg }];
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    if (isMissing && isGlob(arg)) return await findGlob(arg);
    return [{ file: arg, error: readErrorMessage(error) }];
  }
}

async function findInFolder(folder: string): Promise<ImageFile[]> {
  const files = (await walk(folder, Infinity)).filter(({ file, error }) =>
    error !== undefined || EXTENSIONS.some((extension) => file.toLowerCase().endsWith(extension))
  );
  return files.length > 0
    ? files
    : [{ file: folder, error: `no image is in this folder (${EXTENSIONS.join(" ")})` }];
}

/** As in a shell, a folder that cannot be read is none in which a glob finds anything. */
async function findGlob(glob: string): Promise<ImageFile[]> {
  const pattern = globToRegExp(normalize(glob), { extended: true, globstar: true });
  // Where to look: the folder before the first character that is not itself.
  const folder = glob.slice(0, glob.slice(0, glob.search(/[*?[{!@+(]/)).lastIndexOf("/") + 1);
  const isBounded = !/\*\*|[{(]/.test(glob);
  const depth = isBounded ? glob.slice(folder.length).split("/").length : Infinity;
  const files = (await walk(folder || ".", depth))
    .filter(({ file, error }) => error === undefined && pattern.test(normalize(file)));
  return files.length > 0 ? files : [{ file: glob, error: "no file matches" }];
}

/** The files below a folder, down to a depth of 1 for those right in it, and what cannot be read. */
async function walk(folder: string, depth: number): Promise<ImageFile[]> {
  let entries;
  try {
    entries = await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    return [{ file: folder, error: readErrorMessage(error) }];
  }
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  const files: ImageFile[] = [];
  for (const { name, isDirectory, isFile, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    if (isDirectory) {
      if (depth > 1) files.push(...await walk(path, depth - 1));
    } else if (isFile || isSymlink && await isLinkToFile(path)) files.push({ file: path });
  }
  return files;
}

async function isLinkToFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
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
    const { isFile, size } = await handle.stat();
    if (!isFile) return await readLimited(handle.readable, maxBytes);
    if (size > maxBytes) throw tooLong(maxBytes);
    return await readBytes(handle, size);
  } catch (error) {
    throw new Error(readErrorMessage(error));
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
    if (length > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  return concat(chunks);
}

function tooLong(maxBytes: number): Error {
  return new Error(`it has more than ${maxBytes} bytes`);
}
