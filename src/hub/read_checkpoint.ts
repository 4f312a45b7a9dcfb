import type { Tensors } from "../checkpoint/safetensors.ts";
import { readModelFiles } from "./read_model_files.ts";
import { tensorsUnder } from "./tensors_under.ts";

/** A model read from files in Hugging Face's or the authors' format, not yet interpreted. */
export interface Checkpoint {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; `undefined` if the folder has none. */
  readonly preprocessorConfig: unknown;
  /** The weights by their names in the file. */
  readonly tensors: Tensors;
}

/**
 * Reads a model's weights, `config.json` and `preprocessor_config.json`. From the authors' training state
 * it returns only the target encoder; `readMsnTraining` reads the rest.
 *
 * @param source a weights file or a folder; see {@linkcode readModelFiles}, also for the errors.
 */
export async function readCheckpoint(source: string): Promise<Checkpoint> {
  const { config, preprocessorConfig, tensors } = await readModelFiles(source);
  const encoder = tensorsUnder("target_encoder.", tensors);
  return { config, preprocessorConfig, tensors: encoder.size > 0 ? encoder : tensors };
}
