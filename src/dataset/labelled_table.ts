import { parse } from "@std/csv/parse";
import { dirname, isAbsolute, join } from "@std/path";
import { readErrorMessage } from "../hub/file_error.ts";
import { isImageName, type LabelledImage, type PhotoFile } from "./image_files.ts";
import { unreadKind } from "./unread_images.ts";

/** The endings of tables. */
const TABLE = /\.(csv|jsonl|ndjson)$/i;

/** Whether a file's name has the ending of a table. */
export function isTableName(file: string): boolean {
  return TABLE.test(file);
}

/**
 * The path of a file that a table or a list names.
 *
 * @param table the path of the table.
 * @param name relative to the table's folder, or absolute.
 */
export function pathBeside(table: string, name: string): string {
  const path = isAbsolute(name) ? name : join(dirname(table), name);
  return path === "-" ? "./-" : path; // not standard input
}

/**
 * Reads a table of labelled images, CSV or JSON lines, with `path` and `label`; paths are relative to
 * the table.
 *
 * @throws {Error} if it cannot be read, or a row lacks one of them; the message names the table.
 */
export async function readLabelledTable(path: string): Promise<LabelledImage[]> {
  return await readTable(path, ["path", "label"]) as LabelledImage[];
}

/**
 * Reads a table of images, CSV or JSON lines, with `path` and perhaps `label`; paths are relative to the
 * table. An empty label counts as no label.
 *
 * @throws {Error} if it cannot be read, or a row lacks the path; the message names the table.
 */
export async function readPhotoTable(path: string): Promise<PhotoFile[]> {
  return await readTable(path, ["path"]);
}

async function readTable(path: string, required: readonly string[]): Promise<PhotoFile[]> {
  const ending = TABLE.exec(path)?.[1]?.toLowerCase();
  if (!ending) throw new Error(`${path}: it is neither a folder nor a table, .csv or .jsonl`);
  const fileOf = (name: string) => pathBeside(path, name);
  let rows: Record<string, unknown>[];
  try {
    const text = (await Deno.readTextFile(path)).replace(/^\ufeff/, "");
    rows = ending === "csv" ? await parseCsv(text, required, fileOf) : parseJsonLines(text);
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
  }
  return rows.map((row, i) => {
    for (const name of ["path", "label"]) {
      const value = row[name];
      if (typeof value === "string" && value !== "") continue;
      let problem;
      if (required.includes(name)) {
        const others = ending === "csv" ? "" : `, but ${Object.keys(row).join(", ") || "nothing"}`;
        problem = `has no ${name}${others}`;
      } else if (value === undefined || value === null || value === "") continue;
      else problem = `has a ${name} that is not text`;
      throw new Error(`${path}: row ${i + 1} ${problem}; it takes ${takenText(required)}`);
    }
    const { path: file, label } = row as { path: string; label?: string | null };
    return { file: fileOf(file), ...(label ? { label } : {}) };
  });
}

/** The columns of a table, in words. */
function takenText(required: readonly string[]): string {
  return required.includes("label") ? "path and label" : "path and, if there is one, label";
}

/**
 * The first line may name the columns, in any order, those that are required among them; without it, the
 * columns are `path` and `label`.
 *
 * @param fileOf resolves a path of the table.
 * @throws {SyntaxError} if the first line is a header with other columns.
 */
async function parseCsv(
  text: string,
  required: readonly string[],
  fileOf: (path: string) => string,
): Promise<Record<string, unknown>[]> {
  const lines = parse(text) as string[][];
  const [first = []] = lines;
  const header = first.map((column) => column.trim().toLowerCase());
  const hasHeader = required.every((name) => header.includes(name));
  if (!hasHeader && lines.length > 0 && !await isRow(first, fileOf)) {
    throw new SyntaxError(
      `its header is ${first.join(",")}; it takes a header with ${
        takenText(required)
      }, with commas between, ` +
        "or rows of a path and a label without a header",
    );
  }
  const columns = hasHeader ? header : ["path", "label"];
  return lines.slice(hasHeader ? 1 : 0).map((line) =>
    Object.fromEntries(columns.map((column, c) => [column, line[c]]))
  );
}

/** Whether a first line is data: its first cell is a file, or ends like an image. */
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
