import { readSafetensors, type Tensors } from "../../checkpoint/safetensors.ts";
import { readErrorMessage } from "../../hub/file_error.ts";
import { fileErrorCode } from "../../hub/file_error_code.ts";
import { readWhole } from "../../hub/read_whole.ts";
import { errorMessage, type OptionValues } from "../command.ts";
import { assertWritable } from "./assert_writable.ts";
import { assertReplaceable, type Product } from "./overwrite.ts";
import type { TRAINING_OPTIONS } from "./training_options.ts";

/** Where a command that writes a model keeps its training until it is done. */
export function trainingFile(out: string): string {
  return `${out}.training`;
}

/**
 * Checks what a training is to write, before the work rather than after it, and reads what it goes on with.
 *
 * @returns the state of the interrupted run, with `--resume`.
 * @throws {Error} if a file cannot be written, if another command made `out`, if there is no run to resume, or if
 * one would be lost; the message names the file.
 */
export async function openTraining<T>(
  out: string,
  product: Product,
  values: OptionValues<Pick<typeof TRAINING_OPTIONS, "log" | "html" | "force" | "resume">>,
  parse: (tensors: Tensors) => T,
): Promise<T | undefined> {
  for (const path of [out, values.log, values.html]) {
    if (path !== undefined) await assertWritable(path);
  }
  await assertReplaceable(out, product, values.force);
  const path = trainingFile(out);
  if (values.resume) return await readTraining(path, parse);
  if (!values.force) await assertNoTraining(path);
  return undefined;
}

/**
 * Reads an interrupted training.
 *
 * @throws {Error} if there is none, or it cannot be read; the message names the file.
 */
async function readTraining<T>(
  path: string,
  parse: (tensors: Tensors) => T,
): Promise<T> {
  try {
    return parse(readSafetensors(await readWhole(path)));
  } catch (error) {
    const isMissing = fileErrorCode(error) === "ENOENT";
    const reason = isMissing
      ? "there is no interrupted training; start one without --resume"
      : errorMessage(readErrorMessage(error));
    throw new Error(`${path}: ${reason}`);
  }
}

/** @throws {Error} if an interrupted training would be overwritten. */
async function assertNoTraining(path: string): Promise<void> {
  const target = await Deno.stat(path).catch(() => undefined);
  if (!target) return;
  throw new Error(
    `Cannot start a training: ${path} has an interrupted one; add --resume to go on with it, or ` +
      "--force to start anew",
  );
}
