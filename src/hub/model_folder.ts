/** Where a model's files are: a folder of this machine, a repository of the hub, or an address. */
export interface ModelFolder {
  /** Its path, name or address, for messages. */
  readonly name: string;
  /** The path or address of a file, for messages. */
  locate(file: string): string;
  /** Reads a file; `undefined` if it does not exist. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The names of all files, where that can be known. */
  list?(): Promise<readonly string[]>;
}

/**
 * Reads a JSON file.
 *
 * @returns `undefined` if it does not exist.
 * @throws {SyntaxError} if it is not JSON; the message names it.
 */
export async function readJson(folder: ModelFolder, file: string): Promise<unknown> {
  const bytes = await folder.read(file);
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new SyntaxError(`Cannot read ${folder.locate(file)}: it is not JSON`);
  }
}
