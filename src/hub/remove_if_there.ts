import { fileErrorCode } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";

/** Removes a file if it exists. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await fileSystem().unlink(path);
  } catch (error) {
    if (fileErrorCode(error) !== "ENOENT") throw error;
  }
}
