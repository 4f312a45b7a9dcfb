import { readErrorMessage } from "../hub/file_error.ts";

const NO_TEXT = "it is not text; write one path a line, in UTF-8";

/**
 * Reads a text file of paths, one a line. Lines that are empty or begin with `#` are skipped.
 *
 * @throws {Error} if it cannot be read or is no text; the message names it.
 */
export async function readPathList(list: string): Promise<string[]> {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(list));
  } catch (error) {
    // The decoder throws a TypeError.
    const reason = error instanceof TypeError ? NO_TEXT : readErrorMessage(error);
    throw new Error(`${list}: ${reason}`);
  }
  if (text.includes("\0")) throw new Error(`${list}: ${NO_TEXT}`);
  return text.split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
