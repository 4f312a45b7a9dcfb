import { readSafetensors, type Tensors } from "../../checkpoint/safetensors.ts";
import { readErrorMessage } from "../../hub/file_error.ts";
import { fileErrorCode } from "../../hub/file_error_code.ts";
import { readWhole } from "../../hub/read_whole.ts";
import { errorMessage } from "../command.ts";

/** Where a command that writes a model keeps its training until it is done. */
export function trainingFile(out: string): string {
  return `${out}.training`;
}

/**
 * Reads an interrupted training.
 *
 * @throws {Error} if there is none, or it cannot be read; the message names the file.
 */
export async function readTraining<T>(
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
export async function assertNoTraining(path: string): Promise<void> {
  const target = await Deno.stat(path).catch(() => undefined);
  if (!target) return;
  throw new Error(
    `Cannot start a training: ${path} has an interrupted one; add --resume to go on with it, or ` +
      "--force to start anew",
  );
}
