import { join } from "@std/path";
import { readSafetensors, type Tensors } from "./safetensors.ts";

/** A model folder in Hugging Face's layout, read but not yet interpreted. */
export interface Checkpoint {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; nothing where the folder has none. */
  readonly preprocessorConfig: unknown;
  readonly tensors: Tensors;
}

/**
 * Reads `config.json`, `preprocessor_config.json` and `model.safetensors` of a folder.
 *
 * @throws {Deno.errors.NotFound} if the folder has no config or no weights; the message names the file.
 * @throws {SyntaxError} if a file is damaged; the message names it.
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const config = await readJson(join(folder, "config.json"));
  if (config === undefined) throw missing(folder, "config.json");
  const preprocessorConfig = await readJson(join(folder, "preprocessor_config.json"));
  const weights = await readIfThere(join(folder, "model.safetensors"));
  if (!weights) throw missing(folder, "model.safetensors");
  try {
    return { config, preprocessorConfig, tensors: readSafetensors(weights) };
  } catch (error) {
    throw new SyntaxError(`${join(folder, "model.safetensors")}: ${(error as Error).message}`);
  }
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await readIfThere(path);
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new SyntaxError(`Cannot read ${path}: it is not JSON`);
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function missing(folder: string, file: string): Error {
  return new Deno.errors.NotFound(`Cannot read the model folder ${folder}: it has no ${file}`);
}
