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
  if (error instanceof Deno.errors.NotFound) return missing;
  if (error instanceof Deno.errors.NotADirectory) return missing;
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) return `no permission to ${access} it`;
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
