import { type PytorchState, readPytorchState } from "../checkpoint/pytorch.ts";
import { readSafetensors } from "../checkpoint/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { MissingFileError } from "./missing_file_error.ts";
import { type ModelFolder, readJson } from "./model_folder.ts";

const SAFETENSORS = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const PYTORCH = "pytorch_model.bin";
const AUTHORS = ".pth.tar";

/** The files of which a folder has one, for messages. */
export const WEIGHTS_FILES: readonly string[] = [SAFETENSORS, PYTORCH, `*${AUTHORS}`];

/** The reader for each file name suffix. */
const READERS: readonly (readonly [suffix: string, read: (bytes: Uint8Array) => PytorchState])[] = [
  [".safetensors", (bytes) => ({ tensors: readSafetensors(bytes), numbers: new Map() })],
  [".bin", readPytorchState],
  [".pth", readPytorchState],
  [AUTHORS, readPytorchState],
];

/** What is read from a weights file, and where it is. */
export interface WeightsFile extends PytorchState {
  /** The weights file, or the index of its shards. */
  readonly path: string;
}

/** Whether a file has the name of weights. */
export function isWeightsName(file: string): boolean {
  return READERS.some(([suffix]) => file.endsWith(suffix));
}

/**
 * Reads a folder's weights: `model.safetensors`, else its shards, else `pytorch_model.bin`, else the only
 * `*.pth.tar`.
 *
 * @returns `undefined` if it has none.
 * @throws {SyntaxError} if a file is damaged; the message names it.
 * @throws {TypeError} if the folder has several `*.pth.tar` files.
 */
export async function readWeightsOf(folder: ModelFolder): Promise<WeightsFile | undefined> {
  const whole = await readWeights(folder, SAFETENSORS);
  if (whole) return whole;
  const index = await readJson(folder, INDEX);
  if (index !== undefined) return await readShards(folder, index);
  const pytorch = await readWeights(folder, PYTORCH);
  if (pytorch) return pytorch;
  const [authors, ...more] = (await folder.list?.() ?? []).filter((name) => name.endsWith(AUTHORS));
  if (more.length > 0) {
    throw new TypeError(
      `Cannot choose the weights in ${folder.name}: name one of ${[authors, ...more].join(", ")}`,
    );
  }
  return authors === undefined ? undefined : await readWeights(folder, authors);
}

/**
 * Reads one weights file.
 *
 * @returns `undefined` if it does not exist.
 * @throws {SyntaxError} if it is damaged; the message names it.
 * @throws {TypeError} if it has an unknown suffix.
 */
export async function readWeights(
  folder: ModelFolder,
  file: string,
): Promise<WeightsFile | undefined> {
  const path = folder.locate(file);
  const [, read] = READERS.find(([suffix]) => file.endsWith(suffix)) ?? [];
  if (!read) {
    const suffixes = READERS.map(([suffix]) => suffix).join(", ");
    throw new TypeError(`Cannot read ${path} as weights: its name must end in one of ${suffixes}`);
  }
  const bytes = await folder.read(file);
  if (!bytes) return undefined;
  try {
    return { path, ...read(bytes) };
  } catch (error) {
    throw new SyntaxError(`${path}: ${(error as Error).message}`);
  }
}

/** A plain file name, so that an index cannot refer to a file outside the model's folder. */
const SHARD_NAME = /^[\w-][\w.-]*\.safetensors$/;

/** Of `{"weight_map": {tensor: file}}`, reads from each file the tensors mapped to it. */
async function readShards(folder: ModelFolder, index: unknown): Promise<WeightsFile> {
  const path = folder.locate(INDEX);
  const { weight_map } = (index ?? {}) as { weight_map?: unknown };
  if (typeof weight_map !== "object" || weight_map === null || Array.isArray(weight_map)) {
    throw new SyntaxError(`Cannot read ${path}: it has no weight_map`);
  }
  const names = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(weight_map)) {
    if (typeof shard !== "string" || !SHARD_NAME.test(shard)) {
      throw new SyntaxError(
        `Cannot read ${path}: it maps "${name}" to ${JSON.stringify(shard)}, ` +
          "which is not a .safetensors file in the same folder",
      );
    }
    const others = names.get(shard);
    if (others) others.push(name);
    else names.set(shard, [name]);
  }
  const tensors = new Map<string, Tensor>();
  for (const [shard, promised] of names) {
    const weights = await readWeights(folder, shard);
    if (!weights) throw missingFile(folder, shard);
    for (const name of promised) {
      const tensor = weights.tensors.get(name);
      if (!tensor) {
        throw new SyntaxError(
          `${folder.locate(shard)}: it has no "${name}", which ${INDEX} maps to it`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  return { path, tensors, numbers: new Map() };
}

/** The error of a folder that lacks a file. */
export function missingFile(folder: ModelFolder, file: string): MissingFileError {
  return new MissingFileError(`Cannot read the model folder ${folder.name}: it has no ${file}`);
}
