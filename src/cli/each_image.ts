import type { DecodeOptions } from "../image/decode_options.ts";
import type { Image } from "../image/image.ts";
import { asCalled, errorMessage, UsageError } from "./command.ts";
import { type DecodedImage, decodedImages } from "./decoded_images.ts";
import { findImageFiles } from "./image_files.ts";
import { printable } from "./printable.ts";
import { DENO_TASK } from "./program.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";
import { unreadText } from "./unread_images.ts";
import { warner } from "./warner.ts";

/** How {@linkcode eachImage} goes about its images. */
export interface EachImageOptions<Result> {
  /** Of the command, before its messages. */
  readonly name: string;
  readonly decoding: DecodeOptions;
  /** Whether stdout carries JSON lines. */
  readonly json: boolean;
  /** How many images to decode at a time; with more than one, `compute` is given several. */
  readonly jobs: number;
  /** Computes the results of images, in their order; it may be called again before it has answered. */
  readonly compute: (images: readonly Image[]) => Promise<readonly Result[]>;
  /** The text for stdout, with the end of its line. */
  readonly format: (file: string, result: Result) => string;
}

/** What became of a file. */
type Outcome<Result> =
  | { readonly file: string; readonly result: Result }
  | { readonly file: string; readonly error: string };

/** Images a job and batch: threads wait for one another at its end only. */
const BATCH_PER_JOB = 8;
/** A batch's pixels, in bytes, from which on no more images join it. */
const MAX_BATCH_BYTES = 64 * 2 ** 20;
/** Batches under way: one is computed while the next is made ready and the one before is printed. */
const MAX_BATCHES = 2;

/**
 * Reads and decodes the images that arguments name, computes something of each and prints it, in the
 * order of the arguments. An image that fails is reported on stderr, and as a JSON line where stdout
 * carries JSON; the others go on. Image files that are not decoded, found in a folder or by a glob, are
 * counted on stderr. With one job, images are computed one by one.
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
  if (args.length === 0) throw new UsageError("no image is given");
  const { program = DENO_TASK } = terminal;
  const warn = warner(name, terminal);
  const files = await findImageFiles(args, {
    pipe: `${program} ${name} -`,
    onUnread: (unread) => warn(`left out: ${unreadText(unread)}`),
  });
  const progress = new Progress(files.length, terminal.stderr);
  let exitCode = 0;
  const print = (outcome: Outcome<Result>) => {
    const { file } = outcome;
    progress.clear();
    if ("result" in outcome) terminal.stdout.write(format(file, outcome.result));
    else {
      exitCode = 1;
      const error = asCalled(outcome.error, terminal);
      terminal.stderr.write(`${printable(file)}: ${error}\n`);
      if (json) terminal.stdout.write(JSON.stringify({ file, error }) + "\n");
    }
    progress.advance();
  };
  const images = decodedImages(files, terminal.stdin, { decoding, workers: jobs });
  const underWay: Promise<Outcome<Result>[]>[] = [];
  for await (const batch of batches(images, jobs === 1 ? 1 : jobs * BATCH_PER_JOB)) {
    underWay.push(computeBatch(batch, compute));
    if (jobs > 1 && underWay.length < MAX_BATCHES) continue;
    (await underWay.shift()!).forEach(print);
  }
  for (const outcomes of underWay) (await outcomes).forEach(print);
  progress.clear();
  return exitCode;
}

/** Gathers so many images, or so many bytes of them. */
async function* batches(
  images: AsyncIterable<DecodedImage>,
  size: number,
): AsyncGenerator<DecodedImage[]> {
  let batch: DecodedImage[] = [];
  let bytes = 0;
  for await (const decoded of images) {
    batch.push(decoded);
    bytes += decoded.image?.data.length ?? 0;
    if (batch.length < size && bytes < MAX_BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Never rejects: what fails is the outcome of an image. */
async function computeBatch<Result>(
  batch: readonly DecodedImage[],
  compute: EachImageOptions<Result>["compute"],
): Promise<Outcome<Result>[]> {
  const images = batch.flatMap(({ image }) => image ?? []);
  let results: readonly Result[];
  try {
    results = images.length > 0 ? await compute(images) : [];
  } catch (error) {
    // Of several, all but one may be well.
    if (batch.length > 1) return await oneByOne(batch, compute);
    return [{ file: batch[0]!.file, error: errorMessage(error) }];
  }
  let next = 0;
  return batch.map(({ file, error }) =>
    error === undefined ? { file, result: results[next++]! } : { file, error }
  );
}

async function oneByOne<Result>(
  batch: readonly DecodedImage[],
  compute: EachImageOptions<Result>["compute"],
): Promise<Outcome<Result>[]> {
  const outcomes: Outcome<Result>[] = [];
  for (const decoded of batch) outcomes.push(...await computeBatch([decoded], compute));
  return outcomes;
}
