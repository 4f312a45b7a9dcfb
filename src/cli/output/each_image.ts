import {
  type ComputedImage,
  computedImages,
  type ComputeOptions,
} from "../../dataset/computed_images.ts";
import { findImageFiles } from "../../dataset/image_files.ts";
import { unreadText } from "../../dataset/unread_images.ts";
import type { DecodeOptions } from "../../image/decode_options.ts";
import { asCalled, errorMessage, UsageError } from "../command.ts";
import { printable } from "./printable.ts";
import { DENO_TASK } from "../program.ts";
import { Progress } from "./progress/progress.ts";
import type { Terminal } from "./terminal.ts";
import { urlText } from "../options/url_argument.ts";
import { log } from "./log.ts";

/** Options of {@linkcode eachImage}. */
export interface EachImageOptions<Result> extends Pick<ComputeOptions<Result>, "jobs" | "compute"> {
  /** The command's name, which prefixes its messages. */
  readonly name: string;
  readonly decoding: DecodeOptions;
  /** Whether stdout carries JSON lines. */
  readonly json: boolean;
  /** Formats a result for stdout, including the line end. */
  readonly format: (file: string, result: Result) => string;
}

/**
 * Computes a result for each image that the arguments name and prints it, in the order of the arguments.
 * A failed image is reported on stderr, and with `json` also as a JSON line; the others continue.
 * Image files in unsupported formats, found in a folder or by a glob, are counted on stderr.
 *
 * @param args files, folders, globs or `-`.
 * @returns the exit code: 1 if any image failed, else 0.
 * @throws {UsageError} if there are no arguments.
 */
export async function eachImage<Result>(
  args: readonly string[],
  terminal: Terminal,
  { name, decoding, json, jobs, compute, format }: EachImageOptions<Result>,
): Promise<number> {
  if (args.length === 0) throw new UsageError("no image given");
  const { stdin, program = DENO_TASK } = terminal;
  const warn = log(name, terminal);
  const files = await findImageFiles(args, {
    explainMissing: (path) => urlText(path, `${program} ${name} -`),
    onUnread: (unread) => warn(`left out: ${unreadText(unread)}`),
  });
  const progress = new Progress(files.length, terminal.stderr);
  let exitCode = 0;
  const print = ({ file, ...outcome }: ComputedImage<Result>) => {
    progress.clear();
    if (outcome.error === undefined) terminal.stdout.write(format(file, outcome.result!));
    else {
      exitCode = 1;
      const error = asCalled(errorMessage(outcome.error), terminal);
      terminal.stderr.write(`${printable(file)}: ${error}\n`);
      if (json) terminal.stdout.write(JSON.stringify({ file, error }) + "\n");
    }
    progress.advance();
  };
  for await (const image of computedImages(files, { stdin, decoding, jobs, compute })) print(image);
  progress.clear();
  return exitCode;
}
