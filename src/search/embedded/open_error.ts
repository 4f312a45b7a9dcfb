import { readErrorMessage } from "../../hub/file_error.ts";

/** SQLite's codes of errors. */
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** Says why an index cannot be opened. */
export function openError(error: unknown, path: string): Error {
  const reason = reasonOf(error, path);
  return new Error(`Cannot open the index ${path}: ${reason}`, { cause: error });
}

function reasonOf(error: unknown, path: string): string {
  const { code, errcode, message } = (error ?? {}) as {
    code?: string;
    errcode?: number;
    message?: string;
  };
  if (code === "ENOENT") {
    return `no such file; make it with \`deno task index SOURCE --db ${path}\``;
  }
  if (errcode === NOT_A_DATABASE) {
    return "it is no index, but another kind of file; choose another name";
  }
  // Deno gives no number when the file is opened.
  if (errcode === CANNOT_OPEN || message?.startsWith("unable to open database file")) {
    return "its folder is missing or not writable, or it is a folder";
  }
  return readErrorMessage(error);
}
