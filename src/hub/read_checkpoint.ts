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
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readCheckpoint } from "./read_checkpoint.ts";
 *
 * const { preprocessorConfig, tensors } = await readCheckpoint("test/golden/tiny");
 * assertEquals(preprocessorConfig, undefined);
 * assertEquals(tensors.get("classifier.bias")?.dtype, "float32");
 * ```
 */
export async function readCheckpoint(source: string): Promise<Checkpoint> {
  const { config, preprocessorConfig, tensors } = await readModelFiles(source);
  return { config, preprocessorConfig, tensors: checkpointTensors(tensors) };
}

/** The weights of the model to use: of the authors' training state, the target encoder's. */
export function checkpointTensors(tensors: Tensors): Tensors {
  const encoder = tensorsUnder("target_encoder.", tensors);
  return encoder.size > 0 ? encoder : tensors;
}
