import { writeErrorMessage } from "./file_error.ts";

/**
 * Writes a file from pieces. It gets its name only when it is whole, so that an interrupted command
 * leaves the file that was there before. What is no regular file, such as a pipe, is written to.
 *
 * @throws {Error} if it cannot be written; the message names it.
 */
export async function writeFile(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  try {
    const target = await existing(path);
    if (target?.isDirectory || path.endsWith("/")) throw new Deno.errors.IsADirectory();
    if (target && !target.isFile) {
      await writeTo(await Deno.open(target.path, { write: true }), chunks);
    } else await replace(target?.path ?? path, chunks);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${writeErrorMessage(error)}`);
  }
}

/** What is there under a name, behind all links. */
async function existing(path: string): Promise<(Deno.FileInfo & { path: string }) | undefined> {
  try {
    return { ...await Deno.stat(path), path: await Deno.realPath(path) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function replace(path: string, chunks: Iterable<Uint8Array>): Promise<void> {
  const unfinished = `${path}.${crypto.randomUUID()}.unfinished`;
  const file = await Deno.open(unfinished, { write: true, createNew: true });
  try {
    await writeTo(file, chunks);
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished);
    throw error;
  }
}

async function writeTo(file: Deno.FsFile, chunks: Iterable<Uint8Array>): Promise<void> {
  using _file = file;
  for (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await file.write(rest));
  }
}
