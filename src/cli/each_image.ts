import type { DecodeOptions } from "../image/decode_image.ts";
import type { Image } from "../image/image.ts";
import { ImageDecoder } from "../image/image_decoder.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image/image_header.ts";
import { errorMessage, UsageError } from "./command.ts";
import { findImageFiles, readImageFile } from "./image_files.ts";
import { printable } from "./printable.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Reads and decodes the images that arguments name, one after the other, and hands each to `process`,
 * whose text goes to stdout. An image that fails is reported on stderr, and as a JSON line where
 * stdout carries JSON; the others go on.
 *
 * @param args files, folders, globs or `-`.
 * @param json whether stdout carries JSON lines.
 * @returns the exit code: 1 if any image failed, else 0.
 * @throws {UsageError} if there are no arguments.
 */
export async function eachImage(
  args: readonly string[],
  terminal: Terminal,
  decoding: DecodeOptions,
  json: boolean,
  process: (file: string, image: Image) => Promise<string>,
): Promise<number> {
  if (args.length === 0) throw new UsageError("no image is given");
  const files = await findImageFiles(args);
  const progress = new Progress(files.length, terminal.stderr);
  // One image is decoded before a worker would have started.
  using decoder = new ImageDecoder({ workers: files.length > 1 ? 1 : 0 });
  let exitCode = 0;
  for (const entry of files) {
    const { file } = entry;
    try {
      const bytes = await readImageFile(entry, terminal.stdin, DEFAULT_IMAGE_LIMITS.maxBytes);
      const text = await process(file, await decoder.decode(bytes, decoding));
      progress.clear();
      terminal.stdout.write(text);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) throw error;
      exitCode = 1;
      progress.clear();
      const message = errorMessage(error);
      terminal.stderr.write(`${printable(file)}: ${message}\n`);
      if (json) terminal.stdout.write(JSON.stringify({ file, error: message }) + "\n");
    }
    progress.advance();
  }
  progress.clear();
  return exitCode;
}
