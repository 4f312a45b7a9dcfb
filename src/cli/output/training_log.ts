import type { FinetuneRecord, HeldOutValidation } from "../../train/finetune/training_record.ts";
import { writeErrorMessage } from "../../hub/file_error.ts";
import { jsonNumber } from "./json_number.ts";

/** The longest line that is looked for at the end of a log, in bytes: many times that of a record. */
export const MAX_LINE = 65536;

/** What each line of a log begins with. */
const LINE_START = '{"epoch":';

/**
 * Appends a record to a log of training, as a JSON line. A missing file is created. The last line of a
 * process that was killed while it wrote is removed first, so that each line stays a record.
 * What is no regular file, such as a pipe, is written to.
 *
 * @param json the record, whose first property is `epoch`: by it, a line of a log is known.
 * @throws {TypeError} if the first property is another.
 * @throws {Error} if the file cannot be written, or its last line is not a log's: what belongs to
 * another program is left as it is.
 */
export async function appendRecord(
  path: string,
  json: Readonly<Record<string, unknown>>,
): Promise<void> {
  const text = JSON.stringify(json);
  if (!text.startsWith(LINE_START)) {
    throw new TypeError(
      `Cannot log a record: it begins with ${Object.keys(json)[0]}; begin it with epoch`,
    );
  }
  const line = new TextEncoder().encode(text + "\n");
  try {
    const found = await existing(path);
    if (found?.isDirectory || path.endsWith("/")) throw new Deno.errors.IsADirectory();
    const isLog = !found || found.isFile;
    using file = await Deno.open(path, { read: isLog, append: true, create: isLog });
    if (isLog && await repair(file) === "add newline") await writeAll(file, Uint8Array.of(NEWLINE));
    await writeAll(file, line);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${writeErrorMessage(error)}`);
  }
}

const NEWLINE = 10;

/** Cuts a last line that is incomplete; one that only lacks its end is kept. */
async function repair(file: Deno.FsFile): Promise<"add newline" | undefined> {
  const { size } = await file.stat();
  const tail = await lastBytes(file, size);
  const line = tail.subarray(tail.lastIndexOf(NEWLINE) + 1);
  if (line.length === 0) return undefined;
  const text = new TextDecoder().decode(line);
  const isRecord = line.length <= MAX_LINE &&
    (text.startsWith(LINE_START) || LINE_START.startsWith(text));
  if (!isRecord) {
    throw new Error(
      "its last line is not of a log of training; give another file, or end that line",
    );
  }
  if (isJson(text)) return "add newline";
  await file.truncate(size - line.length);
}

/** The end of a file, with room for a line and the newline before it. */
async function lastBytes(file: Deno.FsFile, size: number): Promise<Uint8Array> {
  const tail = new Uint8Array(Math.min(size, MAX_LINE + 1));
  await file.seek(size - tail.length, Deno.SeekMode.Start);
  let length = 0;
  while (length < tail.length) {
    const read = await file.read(tail.subarray(length));
    if (read === null) break;
    length += read;
  }
  return tail.subarray(0, length);
}

async function existing(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Formats a record as JSON. Figures that are not finite, as in a run that diverged, are null.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { recordJson } from "./training_log.ts";
 *
 * const record = {
 *   epoch: 1,
 *   epochs: 20,
 *   step: 60,
 *   loss: NaN,
 *   learningRate: 1e-3,
 *   gradientNorm: 2.5,
 *   imagesPerSecond: 118,
 *   seconds: 8.1,
 *   validation: { accuracy: 0.612, loss: 1.3, images: 50 },
 * };
 * assertEquals(recordJson(record), {
 *   epoch: 1,
 *   epochs: 20,
 *   step: 60,
 *   loss: null,
 *   learning_rate: 1e-3,
 *   gradient_norm: 2.5,
 *   images_per_s: 118,
 *   seconds: 8.1,
 *   validation: { accuracy: 0.612, loss: 1.3, images: 50 },
 * });
 * ```
 */
export function recordJson(record: FinetuneRecord): Record<string, unknown> {
  const { epoch, epochs, step, loss, learningRate, gradientNorm, imagesPerSecond, seconds } =
    record;
  const { validation, averaged } = record;
  return {
    epoch,
    epochs,
    step,
    loss: jsonNumber(loss),
    learning_rate: jsonNumber(learningRate),
    gradient_norm: jsonNumber(gradientNorm),
    images_per_s: jsonNumber(imagesPerSecond),
    seconds: jsonNumber(seconds),
    ...(validation ? { validation: validationJson(validation) } : {}),
    ...(averaged ? { averaged: validationJson(averaged) } : {}),
  };
}

function validationJson({ accuracy, loss, images }: HeldOutValidation): Record<string, unknown> {
  return { accuracy: jsonNumber(accuracy), loss: jsonNumber(loss), images };
}
