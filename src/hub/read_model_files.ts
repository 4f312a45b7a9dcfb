import { basename, dirname, join } from "@std/path";
import type { Tensor } from "../tensor/tensor.ts";
import { type PytorchState, readPytorchState } from "../checkpoint/pytorch.ts";
import { readWhole } from "./read_whole.ts";
import { readSafetensors } from "../checkpoint/safetensors.ts";

/** All that a model's files hold, whatever it is for. `numbers` is empty except for PyTorch files. */
export interface ModelFiles extends PytorchState {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; `undefined` if the folder has none. */
  readonly preprocessorConfig: unknown;
  /** The weights file, or the index of its shards. */
  readonly path: string;
}

const SAFETENSORS = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const PYTORCH = "pytorch_model.bin";
const AUTHORS = ".pth.tar";

/** The reader for each file name suffix. */
const READERS: readonly (readonly [suffix: string, read: (bytes: Uint8Array) => PytorchState])[] = [
  [".safetensors", (bytes) => ({ tensors: readSafetensors(bytes), numbers: new Map() })],
  [".bin", readPytorchState],
  [".pth", readPytorchState],
  [AUTHORS, readPytorchState],
];

/** What is read from a weights file, and where it is. */
type WeightsFile = Pick<ModelFiles, "path" | "tensors" | "numbers">;

/**
 * Reads all tensors of a model's weights file, `config.json` and `preprocessor_config.json`.
 *
 * @param source a weights file (`.safetensors`, `.bin`, `.pth` or `.pth.tar`) with the config beside it,
 * or a folder. From a folder, the first match is used: `model.safetensors`,
 * `model.safetensors.index.json` with its shards, `pytorch_model.bin`, the only `*.pth.tar`.
 *
 * @throws {Deno.errors.NotFound} if a file is missing; the message names it.
 * @throws {SyntaxError} if a file is damaged; the message names it.
 * @throws {TypeError} if the folder has several `*.pth.tar` files, or the file has an unknown suffix.
 */
export async function readModelFiles(source: string): Promise<ModelFiles> {
  const { isDirectory } = await statSource(source);
  const folder = isDirectory ? source : dirname(source);
  const config = await readJson(join(folder, "config.json"));
  if (config === undefined) throw missing(folder, "config.json");
  const preprocessorConfig = await readJson(join(folder, "preprocessor_config.json"));
  const weights = isDirectory ? await readFolder(folder) : await readWeights(source);
  return { config, preprocessorConfig, ...weights };
}

async function statSource(source: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(source);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Deno.errors.NotFound(`Cannot read ${source}: no such folder or file`);
  }
}

async function readFolder(folder: string): Promise<WeightsFile> {
  const there = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  if (there.includes(SAFETENSORS)) return await readWeights(join(folder, SAFETENSORS));
  if (there.includes(INDEX)) return await readShards(folder);
  if (there.includes(PYTORCH)) return await readWeights(join(folder, PYTORCH));
  const [authors, ...more] = there.filter((name) => name.endsWith(AUTHORS));
  if (authors === undefined) throw missing(folder, `${SAFETENSORS}, ${PYTORCH} or *${AUTHORS}`);
  if (more.length > 0) {
    throw new TypeError(
      `Cannot choose the weights in ${folder}: name one of ${[authors, ...more].join(", ")}`,
    );
  }
  return await readWeights(join(folder, authors));
}

async function readWeights(path: string): Promise<WeightsFile> {
  const [, read] = READERS.find(([suffix]) => path.endsWith(suffix)) ?? [];
  if (!read) {
    const suffixes = READERS.map(([suffix]) => suffix).join(", ");
    throw new TypeError(`Cannot read ${path} as weights: its name must end in one of ${suffixes}`);
  }
  const bytes = await readIfThere(path);
  if (!bytes) throw missing(dirname(path), basename(path));
  try {
    return { path, ...read(bytes) };
  } catch (error) {
    throw new SyntaxError(`${path}: ${(error as Error).message}`);
  }
}

/** A plain file name, so that an index cannot refer to a file outside the model's folder. */
const SHARD_NAME = /^[\w-][\w.-]*\.safetensors$/;

/** Reads `{"weight_map": {tensor: file}}`, then from each file the tensors mapped to it. */
async function readShards(folder: string): Promise<WeightsFile> {
  const path = join(folder, INDEX);
  const { weight_map } = (await readJson(path) ?? {}) as { weight_map?: unknown };
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
    const { tensors: read } = await readWeights(join(folder, shard));
    for (const name of promised) {
      const tensor = read.get(name);
      if (!tensor) {
        throw new SyntaxError(
          `${join(folder, shard)}: it has no "${name}", which ${INDEX} maps to it`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  return { path, tensors, numbers: new Map() };
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
    return await readWhole(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

function missing(folder: string, file: string): Error {
  return new Deno.errors.NotFound(`Cannot read the model folder ${folder}: it has no ${file}`);
}
