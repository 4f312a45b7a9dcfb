import { fileErrorCode } from "./file_error_code.ts";
import { writeErrorMessage } from "./file_error.ts";
import { type FileSystem, fileSystem } from "./file_system.ts";
import { removeIfThere } from "./remove_if_there.ts";

type FileHandle = Awaited<ReturnType<FileSystem["open"]>>;

/**
 * Writes a file from pieces. It gets its name only when it is whole, so that an interrupted command
 * leaves the file that was there before. What is no regular file, such as a pipe, is written to.
 *
 * @throws {Error} if it cannot be written; the message names it.
 */
export async function writeFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    const target = await existing(path);
    if (target?.isDirectory || path.endsWith("/")) throw folderInPlace();
    if (target && !target.isFile) {
      const { open, constants } = fileSystem();
      await writeTo(await open(target.path, constants.O_WRONLY), chunks);
    } else await replace(target?.path ?? path, chunks);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${writeErrorMessage(error)}`, { cause: error });
  }
}

/** Writes all bytes at a file's current position. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    const { bytesWritten } = await file.write(rest, 0, rest.length, null);
    rest = rest.subarray(bytesWritten);
  }
}

function folderInPlace(): Error {
  return Object.assign(new Error("it is a folder"), { code: "EISDIR" });
}

/** What is there under a name, behind all links. */
async function existing(
  path: string,
): Promise<{ isFile: boolean; isDirectory: boolean; path: string } | undefined> {
  const { stat, realpath } = fileSystem();
  try {
    const found = await stat(path);
    return {
      isFile: found.isFile(),
      isDirectory: found.isDirectory(),
      path: await realpath(path),
    };
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function replace(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const { open, rename } = fileSystem();
  const unfinished = `${path}.${crypto.randomUUID()}.unfinished`;
  const file = await open(unfinished, "wx");
  try {
    await writeTo(file, chunks);
    await rename(unfinished, path);
  } catch (error) {
    await removeIfThere(unfinished);
    throw error;
  }
}

async function writeTo(file: FileHandle, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    for (const chunk of chunks) await writeAll(file, chunk);
  } finally {
    await file.close();
  }
}
