import { readCheckpoint } from "../../hub/read_checkpoint.ts";
import { writeFile } from "../../hub/write_file.ts";
import {
  fromCheckpoint,
  type FromCheckpointOptions,
  type Use,
} from "../../vit_msn/from_checkpoint.ts";

/**
 * Converts a checkpoint to one ONNX file.
 *
 * @param source a folder or a weights file; see {@linkcode readCheckpoint}.
 * @param warn receives one-line warnings for the file's user.
 * @returns the command that can use the file.
 * @throws {Error} if the checkpoint cannot be read or used, or the file cannot be written.
 */
export async function convertCheckpoint(
  source: string,
  out: string,
  options: FromCheckpointOptions,
  warn: (message: string) => void,
): Promise<{ use: Use }> {
  const { chunks, use } = fromCheckpoint(await readCheckpoint(source), options, source, warn);
  await writeFile(out, chunks);
  return { use };
}
