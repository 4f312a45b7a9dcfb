/** The code for each of Deno's error classes, which may have none themselves. */
const CODES: Readonly<Record<string, string>> = {
  NotFound: "ENOENT",
  NotADirectory: "ENOTDIR",
  IsADirectory: "EISDIR",
  AlreadyExists: "EEXIST",
  PermissionDenied: "EACCES",
};

/**
 * The code of a file system's error, as Node.js names it, such as `ENOENT`; also for Deno's own classes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fileErrorCode } from "./file_error_code.ts";
 *
 * assertEquals(fileErrorCode(new Deno.errors.NotFound()), "ENOENT");
 * assertEquals(fileErrorCode(new TypeError()), undefined);
 * ```
 */
export function fileErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : CODES[error.name];
}

/** Whether a file or a folder on its path does not exist. */
export function isMissingFile(error: unknown): boolean {
  const code = fileErrorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Whether Deno was not started with the permission for something; the message names it. */
export function isNotCapable(error: unknown): error is Error {
  return error instanceof Error && error.name === "NotCapable";
}
