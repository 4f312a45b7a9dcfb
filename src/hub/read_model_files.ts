import { basename, dirname } from "@std/path";
import { isMissingFile } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";
import { LocalFolder } from "./local_folder.ts";
import { MissingFileError } from "./missing_file_error.ts";
import { readJson } from "./model_folder.ts";
import {
  missingFile,
  readWeights,
  readWeightsOf,
  WEIGHTS_FILES,
  type WeightsFile,
} from "./read_weights.ts";

/** All that a model's files hold, whatever it is for. `numbers` is empty except for PyTorch files. */
export interface ModelFiles extends WeightsFile {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; `undefined` if the folder has none. */
  readonly preprocessorConfig: unknown;
}

/**
 * Reads all tensors of a model's weights file, `config.json` and `preprocessor_config.json`.
 *
 * @param source a weights file (`.safetensors`, `.bin`, `.pth` or `.pth.tar`) with the config beside it,
 * or a folder. From a folder, the first match is used: `model.safetensors`,
 * `model.safetensors.index.json` with its shards, `pytorch_model.bin`, the only `*.pth.tar`.
 *
 * @throws {MissingFileError} if a file is missing; the message names it.
 * @throws {SyntaxError} if a file is damaged; the message names it.
 * @throws {TypeError} if the folder has several `*.pth.tar` files, or the file has an unknown suffix.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readModelFiles } from "./read_model_files.ts";
 *
 * const { tensors } = await readModelFiles("test/golden/tiny");
 * assertEquals(tensors.get("classifier.bias")?.shape, [10]);
 * ```
 */
export async function readModelFiles(source: string): Promise<ModelFiles> {
  const isFolder = await isDirectory(source);
  const folder = new LocalFolder(isFolder ? source : dirname(source));
  const config = await readJson(folder, "config.json");
  if (config === undefined) throw missingFile(folder, "config.json");
  const preprocessorConfig = await readJson(folder, "preprocessor_config.json");
  const weights = isFolder
    ? await readWeightsOf(folder)
    : await readWeights(folder, basename(source));
  if (!weights) {
    throw missingFile(folder, isFolder ? FOLDER_FILES : basename(source));
  }
  return { config, preprocessorConfig, ...weights };
}

/** `A, B or C`. */
const FOLDER_FILES = WEIGHTS_FILES.join(", ").replace(/, ([^,]*)$/, " or $1");

async function isDirectory(source: string): Promise<boolean> {
  try {
    return (await fileSystem().stat(source)).isDirectory();
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    throw new MissingFileError(`Cannot read ${source}: no such folder or file`);
  }
}
