import { join } from "@std/path";
import { readErrorMessage } from "../hub/file_error.ts";
import { type ExplainMissing, findImageFiles, type LabelledImage } from "./image_files.ts";
import { readLabelledTable } from "./labelled_table.ts";
import { unreadText } from "./unread_images.ts";

/**
 * Finds labelled images: a folder with a folder for each class, named by its label, or a table (CSV or
 * JSON lines) with `path` and `label`; paths are relative to the table.
 *
 * @param warn called with a sentence on skipped files.
 * @throws {Error} if there are no labelled images, or the table cannot be read; the message names it.
 */
export async function findLabelledImages(
  source: string,
  warn: (message: string) => void,
  explainMissing: ExplainMissing = () => undefined,
): Promise<LabelledImage[]> {
  let isFolder;
  try {
    isFolder = (await Deno.stat(source)).isDirectory;
  } catch (error) {
    throw new Error(`${source}: ${explainMissing(source) ?? readErrorMessage(error)}`);
  }
  const images = isFolder ? await findInFolders(source, warn) : await readLabelledTable(source);
  if (images.length > 0) return images;
  throw new Error(
    `${source}: ${
      isFolder
        ? "there is no folder in it; it takes a folder of photos for each class, named after it"
        : "it has no rows"
    }`,
  );
}

async function findInFolders(
  source: string,
  warn: (message: string) => void,
): Promise<LabelledImage[]> {
  const entries = await Array.fromAsync(Deno.readDir(source));
  const folders: string[] = [];
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const isFolder = isDirectory ||
      isSymlink && (await Deno.stat(join(source, name)).catch(() => undefined))?.isDirectory;
    if (isFolder) folders.push(name);
  }
  const others = entries.filter(({ name, isFile }) => isFile && !name.startsWith(".")).length;
  if (others > 0 && folders.length > 0) {
    warn(`${source}: ${others} files right in it are left out: they are in no class's folder`);
  }
  const found: LabelledImage[] = [];
  const unread: string[] = [];
  for (const label of folders.sort()) {
    const images = await findImageFiles([join(source, label)], {
      onUnread: (files) => unread.push(...files),
    });
    found.push(...images.map((image) => ({ ...image, label })));
  }
  if (unread.length > 0) warn(`left out: ${unreadText(unread)}`);
  return found;
}
