import { computedImages, type ComputeOptions } from "../../dataset/computed_images.ts";
import type { DecodeOptions } from "../../image/decode_options.ts";
import { UsageError } from "../command.ts";
import { findArguments } from "../options/find_arguments.ts";
import { printEach, type PrintOptions } from "./print_each.ts";
import type { Terminal } from "./terminal.ts";

/** Options of {@linkcode eachImage}. */
export interface EachImageOptions<Result>
  extends PrintOptions<Result>, Pick<ComputeOptions<Result>, "jobs" | "compute"> {
  /** The command's name, which prefixes its messages. */
  readonly name: string;
  readonly decoding: DecodeOptions;
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
  { name, decoding, jobs, compute, ...printing }: EachImageOptions<Result>,
): Promise<number> {
  if (args.length === 0) throw new UsageError("no image given");
  const { stdin } = terminal;
  const files = await findArguments(args, name, terminal);
  const computed = computedImages(files, { stdin, decoding, jobs, compute });
  return await printEach(computed, files.length, terminal, printing);
}
