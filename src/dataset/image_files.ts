import { globToRegExp, isGlob, join, normalize } from "@std/path";
import { readErrorMessage } from "../hub/file_error.ts";
import type { FileTimes } from "./file_times.ts";
import { unreadKind, unreadText } from "./unread_images.ts";

/** An image to read, or why an argument gives none. */
export interface ImageFile {
  /** The path as the caller would name it; `-` is standard input. */
  readonly file: string;
  /** Why there is nothing to read. */
  readonly error?: string;
  /** The part of another file that has the image's bytes, such as of a tar file; default the whole of `file`. */
  readonly range?: ImageRange;
  /** What tells whether it has changed, if whoever found it knows; default: the system is asked. */
  readonly times?: FileTimes;
}

/** A part of a file. */
export interface ImageRange {
  /** The path of the file. */
  readonly file: string;
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** An image that may have a label. */
export interface PhotoFile extends ImageFile {
  readonly label?: string;
}

/** An image and its label. */
export interface LabelledImage extends PhotoFile {
  readonly label: string;
}

/**
 * Explains why a path does not exist, for instance that it is a web address.
 *
 * @returns `undefined` without an explanation.
 */
export type ExplainMissing = (path: string) => string | undefined;

/** A folder's files with these endings are images. */
const EXTENSIONS = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp"];

/** Options of {@linkcode findImageFiles}. */
export interface FindOptions {
  readonly explainMissing?: ExplainMissing | undefined;
  /** Called at the end with the image files in formats that are not decoded, if any. */
  readonly onUnread?: (files: readonly string[]) => void;
}

/**
 * Finds the images that arguments name: files, folders with all that is below them, globs, and `-`.
 * A folder's files are in alphabetical order. Names with a leading dot and links to folders are
 * skipped.
 */
export async function findImageFiles(
  args: readonly string[],
  { explainMissing = () => undefined, onUnread = () => {} }: FindOptions = {},
): Promise<ImageFile[]> {
  // Spreading the files of a large folder into `push` would overflow the stack.
  const found: ImageFile[] = [];
  const unread: string[] = [];
  for (const arg of args) {
    if (arg === "-" && found.some(({ file }) => file === "-")) {
      found.push({ file: arg, error: "standard input is read already" });
    } else {
      for (const image of await findOne(arg, explainMissing, unread)) found.push(image);
    }
  }
  if (unread.length > 0) onUnread(unread);
  return found;
}

async function findOne(
  arg: string,
  explainMissing: ExplainMissing,
  unread: string[],
): Promise<ImageFile[]> {
  if (arg === "-") return [{ file: arg }];
  try {
    const { isDirectory } = await Deno.stat(arg);
    return isDirectory ? await findInFolder(arg, unread) : [{ file: arg }];
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    const explanation = isMissing ? explainMissing(arg) : undefined;
    if (explanation !== undefined) return [{ file: arg, error: explanation }];
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

/** Whether a file's name has the ending of a supported image. */
export function isImageName(file: string): boolean {
  return EXTENSIONS.some((extension) => file.toLowerCase().endsWith(extension));
}

/** As in a shell, a glob finds nothing in a folder that cannot be read. */
async function findGlob(glob: string, unread: string[]): Promise<ImageFile[]> {
  const pattern = globToRegExp(normalize(glob), { extended: true, globstar: true });
  // The folder before the first special character.
  const folder = glob.slice(0, glob.slice(0, glob.search(/[*?[{!@+(]/)).lastIndexOf("/") + 1);
  const isBounded = !/\*\*|[{(]/.test(glob);
  const depth = isBounded ? glob.slice(folder.length).split("/").length : Infinity;
  const all = (await walk(folder || ".", depth))
    .filter(({ file, error }) => error === undefined && pattern.test(normalize(file)));
  const files = all.filter(({ file }) => unreadKind(file) === undefined);
  return filesOrReason(all, files, unread, glob, "no file matches");
}

/**
 * Returns the supported files and collects the others; without any, an error.
 *
 * @param all what was found.
 * @param files the supported ones.
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
    for (const file of left) unread.push(file);
    return files;
  }
  if (left.length === 0) return [{ file: argument, error: nothing }];
  return [{ file: argument, error: `no image that can be read, but ${unreadText(left)}` }];
}

/** The files below a folder (depth 1: directly in it), and errors for what cannot be read. */
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
      const below = depth > 1 ? await walk(path, depth - 1) : [];
      for (const file of below) files.push(file);
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
