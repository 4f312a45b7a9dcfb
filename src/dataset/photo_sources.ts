import { isGlob, join, normalize, SEPARATOR } from "@std/path";
import { type ExplainMissing, findImageFiles, type PhotoFile } from "./image_files.ts";
import { isTableName, pathBeside, readPhotoTable } from "./labelled_table.ts";
import { readPathList } from "./read_path_list.ts";
import { findTarImages, isTarName } from "./tar_images.ts";
import { unreadText } from "./unread_images.ts";

/** What a source may be, in words. */
const TAKEN =
  "give a folder of photos, an image, a table (.csv or .jsonl) with path, a list (.txt) of one path a line, " +
  "or a tar file";

/**
 * Finds images, whose labels are not needed but kept where there are some. A source is
 *
 * - a folder, with all that is below it: the folder right in the source that an image is in is its label, so
 *   an image right in the source has none. As for `findLabelledImages`, links to folders are followed
 *   right in the source only;
 * - an image, or a glob;
 * - a table, CSV or JSON lines, with `path` and perhaps `label`, or a text file (`.txt`) with a path a line;
 *   paths are relative to its folder. In the text file, lines that are empty or begin with `#` are skipped;
 * - a tar file; see {@linkcode findTarImages}.
 *
 * @returns the images in the order of the sources, those of a folder in alphabetical order. A path that is
 *   there twice comes once, as it was first found. An `error` stands for a folder that cannot be read.
 * @param warn called with a sentence on skipped files.
 * @throws {Error} if a source is missing, cannot be read or names no image; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findPretrainingImages } from "./photo_sources.ts";
 *
 * const images = await findPretrainingImages(["test/images", "test/images/dog.jpg"], console.warn);
 * assertEquals(images[0], { file: "test/images/airplane.jpg" });
 * assertEquals(images.filter(({ file }) => file.endsWith("dog.jpg")).length, 1);
 * ```
 */
export async function findPretrainingImages(
  sources: readonly string[],
  warn: (message: string) => void,
  explainMissing: ExplainMissing = () => undefined,
): Promise<PhotoFile[]> {
  if (sources.length === 0) throw new Error(`Cannot find photos: ${TAKEN}`);
  let unread: readonly string[] = [];
  const onUnread = (files: readonly string[]) => unread = unread.concat(files);
  const found = new Map<string, PhotoFile>();
  for (const source of sources) {
    for (const image of await findIn(source, onUnread, explainMissing)) {
      const path = normalize(image.file);
      if (!found.has(path)) found.set(path, image);
    }
  }
  if (unread.length > 0) warn(`left out: ${unreadText(unread)}`);
  return [...found.values()];
}

/** @param onUnread called with the image files in formats that are not decoded, if any. */
async function findIn(
  source: string,
  onUnread: (files: readonly string[]) => void,
  explainMissing: ExplainMissing,
): Promise<PhotoFile[]> {
  if (source === "-") throw new Error(`-: photos are not read from standard input; ${TAKEN}`);
  const info = await Deno.stat(source).catch(() => undefined);
  if (info?.isDirectory) return await findInFolder(source, onUnread);
  if (info && isTableName(source)) {
    const images = await readPhotoTable(source);
    if (images.length === 0) throw new Error(`${source}: it has no rows; ${TAKEN}`);
    return images;
  }
  if (info && /\.txt$/i.test(source)) return await readList(source);
  if (info && isTarName(source)) {
    const images = await findTarImages(source);
    if (images.length === 0) throw new Error(`${source}: no image is in this tar file; ${TAKEN}`);
    return images;
  }
  const images = await findImageFiles([source], {
    explainMissing: (path) =>
      explainMissing(path) ?? (isGlob(path) ? undefined : `no such file; ${TAKEN}`),
    onUnread,
  });
  throwIfNone(images);
  return images;
}

/** Throws the first error if no image was found. */
function throwIfNone(found: readonly PhotoFile[]): void {
  if (found.some(({ error }) => error === undefined)) return;
  const [{ file, error }] = found as [PhotoFile];
  throw new Error(`${file}: ${error}`);
}

async function findInFolder(
  source: string,
  onUnread: (files: readonly string[]) => void,
): Promise<PhotoFile[]> {
  const folders = [source, ...await linkedFolders(source)];
  const found = await findImageFiles(folders, { onUnread });
  throwIfNone(found);
  const start = join(source, "x").length - 1; // of a path within the source
  return found.filter(({ file }) => file !== source).map((image) => {
    const [label, ...rest] = image.file.slice(start).split(SEPARATOR);
    return rest.length === 0 ? image : { ...image, label: label! };
  });
}

/** The links to folders that are right in a folder, in alphabetical order. */
async function linkedFolders(folder: string): Promise<string[]> {
  const linked: string[] = [];
  try {
    for await (const { name, isSymlink } of Deno.readDir(folder)) {
      if (!isSymlink || name.startsWith(".")) continue;
      const path = join(folder, name);
      if ((await Deno.stat(path).catch(() => undefined))?.isDirectory) linked.push(path);
    }
  } catch {
    return []; // `findImageFiles` says what is wrong with the folder
  }
  return linked.sort();
}

async function readList(list: string): Promise<PhotoFile[]> {
  const paths = await readPathList(list);
  if (paths.length === 0) throw new Error(`${list}: it names no image; ${TAKEN}`);
  return paths.map((path) => ({ file: pathBeside(list, path) }));
}
