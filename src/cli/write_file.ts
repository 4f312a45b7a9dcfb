import { fileErrorMessage } from "./image_files.ts";

/**
 * Writes a file from pieces. It gets its name only when it is whole, so that an interrupted command
 * leaves the file that was there before.
 *
 * @throws {Error} if it cannot be written; the message names it.
 */
export async function writeFile(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    {
      using file = await Deno.create(unfinished);
      const writer = file.writable.getWriter();
      for (const chunk of chunks) await writer.write(chunk as Uint8Array<ArrayBuffer>);
      await writer.close();
    }
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    const reason = error instanceof Deno.errors.NotFound
      ? "its folder does not exist"
      : fileErrorMessage(error);
    throw new Error(`Cannot write ${path}: ${reason}`);
  }
}
