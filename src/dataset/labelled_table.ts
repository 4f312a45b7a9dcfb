import { parse } from "@std/csv/parse";
import { dirname, isAbsolute, join } from "@std/path";
import { readErrorMessage } from "../hub/file_error.ts";
import { isImageName, type LabelledImage } from "./image_files.ts";
import { unreadKind } from "./unread_images.ts";

/**
 * Reads a table of labelled images, CSV or JSON lines, with `path` and `label`; paths are relative to
 * the table.
 *
 * @throws {Error} if it cannot be read, or a row lacks one of them; the message names the table.
 */
export async function readLabelledTable(path: string): Promise<LabelledImage[]> {
  const ending = /\.(csv|jsonl|ndjson)$/i.exec(path)?.[1]?.toLowerCase();
  if (!ending) throw new Error(`${path}: it is neither a folder nor a table, .csv or .jsonl`);
  const fileOf = (name: string) => isAbsolute(name) ? name : join(dirname(path), name);
  let rows: Record<string, unknown>[];
  try {
    const text = (await Deno.readTextFile(path)).replace(/^\ufeff/, "");
    rows = ending === "csv" ? await parseCsv(text, fileOf) : parseJsonLines(text);
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
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
 * The first line may name the columns, in any order, `path` and `label` among them; without it, the columns
 * are these two.
 *
 * @param fileOf resolves a path of the table.
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
