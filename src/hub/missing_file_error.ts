/**
 * A file that a model needs does not exist; the message names it.
 *
 * @example
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { MissingFileError } from "./missing_file_error.ts";
 * import { readCheckpoint } from "./read_checkpoint.ts";
 *
 * await assertRejects(() => readCheckpoint("nowhere"), MissingFileError, "Cannot read nowhere");
 * ```
 */
export class MissingFileError extends Error {
  /** The class's name. */
  override name = "MissingFileError";
  /** As of an error of the file system. */
  readonly code = "ENOENT";
}
