import { concat } from "@std/bytes/concat";
import { globToRegExp, isGlob, join, normalize } from "@std/path";
import { readBytes } from "../checkpoint/read_whole.ts";
import { readErrorMessage } from "./file_error.ts";
import { unreadKind, unreadText } from "./unread_images.ts";
import { urlText } from "./url_argument.ts";

/** An image to read, or why an argument gives none. */
export interface ImageFile {
  /** As the user would name it; `-` is standard input. */
  readonly file: string;
  /** What was wrong, in which case there is nothing to read. */
  readonly error?: string;
}

/** The endings by which a folder's images are told from its other files. */
const EXTENSIONS = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp"];

/** How {@linkcode findImageFiles} goes about it. */
export interface FindOptions {
  /** What takes an image through a pipe, such as `deno task classify -`. */
  readonly pipe?: string;
  /** Called at the end with what was found and is no image that can be decoded, unless it is nothing. */
  readonly onUnread?: (files: readonly string[]) => void;
}

/**
 * Finds the images that arguments name: files, folders with all that is below them, globs, and `-`.
 * What is found in a folder is in alphabetical order. Names with a leading dot are left out, and so
 * are links to folders.
 */
export async function findImageFiles(
  args: readonly string[],
  { pipe, onUnread = () => {} }: FindOptions = {},
): Promise<ImageFile[]> {
  const found: ImageFile[] = [];
  const unread: string[] = [];
  for (const arg of args) {
    if (arg === "-" && found.some(({ file }) => file === "-")) {
      found.push({ file: arg, error: "standard input is read already" });
    } else found.push(...await findOne(arg, pipe, unread));
  }
  if (unread.length > 0) onUnread(unread);
  return found;
}

async function findOne(
  arg: string,
  pipe: string | undefined,
  unread: string[],
): Promise<ImageFile[]> {
  if (arg === "-") return [{ file: arg }];
  try {
    const { isDirectory } = await Deno.stat(arg);
    return isDirectory ? await findInFolder(arg, unread) : [{ file: arg }];
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    const url = isMissing ? urlText(arg, pipe) : undefined;
    if (url !== undefined) return [{ file: arg, error: url }];
    if (isMissing && isGlob(arg)) return await findGlob(arg, unread);
    return [{ file: arg, error: readErrorMessage(error) }];
  }
}

async function findInFolder(folder: string, unread: string[]): Promise<ImageFile[]> {
  const all = await walk(folder, Infinity);
  const files = all.filter(({ file, error }) => error !== undefined || isImageName(file));
  const endings = EXTENSIONS.join(" ");
  return filesOrReason(all, files, unread, folder, `no image is in this folder (${endings})`);
}

/** Whether a file's name ends as that of an image which is decoded. */
export function isImageName(file: string): boolean {
  return EXTENSIONS.some((extension) => file.toLowerCase().endsWith(extension));
}

/** As in a shell, a folder that cannot be read is none in which a glob finds anything. */
async function findGlob(glob: string, unread: string[]): Promise<ImageFile[]> {
  const pattern = globToRegExp(normalize(glob), { extended: true, globstar: true });
  // Where to look: the folder before the first character that is not itself.
  const folder = glob.slice(0, glob.slice(0, glob.search(/[*?[{!@+(]/)).lastIndexOf("/") + 1);
  const isBounded = !/\*\*|[{(]/.test(glob);
  const depth = isBounded ? glob.slice(folder.length).split("/").length : Infinity;
  const all = (await walk(folder || ".", depth))
    .filter(({ file, error }) => error === undefined && pattern.test(normalize(file)));
  const files = all.filter(({ file }) => unreadKind(file) === undefined);
  return filesOrReason(all, files, unread, glob, "no file matches");
}

/**
 * The files, with what is not decoded noted apart. If there are none, an error says so.
 *
 * @param all what was found.
 * @param files those of them to read.
 * @param nothing what is wrong if nothing at all was found.
 */
function filesOrReason(
  all: readonly ImageFile[],
  files: ImageFile[],
  unread: string[],
  argument: string,
  nothing: string,
): ImageFile[] {
  const left = all.map(({ file }) => file).filter((file) => unreadKind(file) !== undefined);
  if (files.length > 0) {
    unread.push(...left);
    return files;
  }
  if (left.length === 0) return [{ file: argument, error: nothing }];
  return [{ file: argument, error: `no image that can be read, but ${unreadText(left)}` }];
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
    const isMissing = error instanceof Deno.errors.NotFound;
    throw new Error(isMissing && urlText(file) || readErrorMessage(error));
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
