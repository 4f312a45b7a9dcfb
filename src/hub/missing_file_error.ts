/** A file that a model needs does not exist; the message names it. */
export class MissingFileError extends Error {
  /** The class's name. */
  override name = "MissingFileError";
  /** As of an error of the file system. */
  readonly code = "ENOENT";
}
