import { basename, dirname } from "@std/path";
import { writeErrorMessage } from "../../hub/file_error.ts";

/**
 * Checks that a file can be written, before the work rather than after it.
 *
 * @throws {Error} if it cannot; the message names it.
 */
export async function assertWritable(path: string): Promise<void> {
  const target = await Deno.stat(path).catch(() => undefined);
  if (target && !target.isFile && !target.isDirectory) return; // such as a pipe
  try {
    if (target?.isDirectory) throw new Deno.errors.IsADirectory();
    const probe = { dir: dirname(path), prefix: `${basename(path)}.`, suffix: ".unfinished" };
    await Deno.remove(await Deno.makeTempFile(probe));
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${writeErrorMessage(error)}`);
  }
}
