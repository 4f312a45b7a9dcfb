import { fileErrorCode, isMissingFile, isNotCapable } from "./file_error_code.ts";

/** Says what is wrong with reading a file, in words that fit behind its name. */
export function readErrorMessage(error: unknown): string {
  return fileErrorMessage(error, { missing: "no such file", access: "read" });
}

/** Says what is wrong with writing a file, in words that fit behind its name. */
export function writeErrorMessage(error: unknown): string {
  return fileErrorMessage(error, { missing: "its folder does not exist", access: "write" });
}

function fileErrorMessage(
  error: unknown,
  { missing, access }: { missing: string; access: string },
): string {
  const code = fileErrorCode(error);
  if (isMissingFile(error)) return missing;
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  if (isNotCapable(error)) return `no permission to ${access} it`;
  return error instanceof Error ? error.message : String(error);
}
