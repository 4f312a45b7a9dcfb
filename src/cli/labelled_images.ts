import { parse } from "@std/csv/parse";
import { dirname, isAbsolute, join } from "@std/path";
import { errorMessage } from "./command.ts";
import { readErrorMessage } from "./file_error.ts";
import { findImageFiles, type ImageFile, isImageName } from "./image_files.ts";
import { unreadKind, unreadText } from "./unread_images.ts";
import { urlText } from "./url_argument.ts";

/** An image and what it shows. */
export interface LabelledImage extends ImageFile {
  readonly label: string;
}

/**
 * Finds labelled images: a folder with a folder for each class, whose name is the label, or a table of
 * them, CSV or JSON lines, with `path` and `label`; paths count from the table's folder.
 *
 * @param warn is told what is left out.
 * @throws {Error} if nothing is labelled there, or the table cannot be read; the message names it.
 */
export async function findLabelledImages(
  source: string,
  warn: (message: string) => void,
): Promise<LabelledImage[]> {
  let isFolder;
  try {
    isFolder = (await Deno.stat(source)).isDirectory;
  } catch (error) {
    throw new Error(`${source}: ${urlText(source) ?? readErrorMessage(error)}`);
  }
  const images = isFolder ? await findInFolders(source, warn) : await readTable(source);
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

async function readTable(path: string): Promise<LabelledImage[]> {
  const ending = /\.(csv|jsonl|ndjson)$/i.exec(path)?.[1]?.toLowerCase();
  if (!ending) throw new Error(`${path}: it is neither a folder nor a table, .csv or .jsonl`);
  const fileOf = (name: string) => isAbsolute(name) ? name : join(dirname(path), name);
  let rows: Record<string, unknown>[];
  try {
    const text = (await Deno.readTextFile(path)).replace(/^\ufeff/, "");
    rows = ending === "csv" ? await parseCsv(text, fileOf) : parseJsonLines(text);
  } catch (error) {
    throw new Error(`${path}: ${errorMessage(readErrorMessage(error))}`);
  }
  return rows.map((row, i) => {
    const { path: file, label } = row;
    for (const [name, value] of Object.entries({ path: file, label })) {
      if (typeof value !== "string" || value === "") {
        const others = ending === "csv" ? "" : `, but ${Object.keys(row).join(", ") || "nothing"}`;
        throw new Error(`${path}: row ${i + 1} has no ${name}${others}; it takes path and label`);
      }
    }
    return { file: fileOf(file as string), label: label as string };
  });
}

/**
 * With a first line `path,label`, in any order and among others, or of these two without it.
 *
 * @param fileOf the file that a path of the table means.
 * @throws {SyntaxError} if the first line is a header with other columns.
 */
async function parseCsv(
  text: string,
  fileOf: (path: string) => string,
): Promise<Record<string, unknown>[]> {
  const lines = parse(text) as string[][];
  const [first = []] = lines;
  const header = first.map((column) => column.trim().toLowerCase());
  const hasHeader = ["path", "label"].every((name) => header.includes(name));
  if (!hasHeader && lines.length > 0 && !await isRow(first, fileOf)) {
    throw new SyntaxError(
      `its header is ${
        first.join(",")
      }; it takes a header with path and label, with commas between, ` +
        "or rows of a path and a label without a header",
    );
  }
  const columns = hasHeader ? header : ["path", "label"];
  return lines.slice(hasHeader ? 1 : 0).map((line) =>
    Object.fromEntries(columns.map((column, c) => [column, line[c]]))
  );
}

/** Whether a first line is no header: its first cell is a file, or is called as an image. */
async function isRow([path = ""]: string[], fileOf: (path: string) => string): Promise<boolean> {
  if (isImageName(path) || unreadKind(path) !== undefined) return true;
  try {
    return path !== "" && (await Deno.stat(fileOf(path))).isFile;
  } catch {
    return false;
  }
}

function parseJsonLines(text: string): Record<string, unknown>[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line, i) => {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      throw new SyntaxError(`line ${i + 1} is not JSON`);
    }
    return row as Record<string, unknown> ?? {};
  });
}
