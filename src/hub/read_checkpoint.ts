import { basename, dirname, join } from "@std/path";
import type { Tensor } from "../tensor/tensor.ts";
import { readPytorch } from "../checkpoint/pytorch.ts";
import { readWhole } from "./read_whole.ts";
import { readSafetensors, type Tensors } from "../checkpoint/safetensors.ts";

/** A model read from files in Hugging Face's or the authors' format, not yet interpreted. */
export interface Checkpoint {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; `undefined` if the folder has none. */
  readonly preprocessorConfig: unknown;
  /** The weights by their names in the file. */
  readonly tensors: Tensors;
}

const SAFETENSORS = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const PYTORCH = "pytorch_model.bin";
const AUTHORS = ".pth.tar";

/** The reader for each file name suffix. */
const READERS: readonly (readonly [suffix: string, read: (bytes: Uint8Array) => Tensors])[] = [
  [".safetensors", readSafetensors],
  [".bin", readStateDict],
  [".pth", readStateDict],
  [AUTHORS, readStateDict],
];

/**
 * Reads a model's weights, `config.json` and `preprocessor_config.json`.
 *
 * @param source a weights file (`.safetensors`, `.bin`, `.pth` or `.pth.tar`) with the config beside it,
 * or a folder. From a folder, the first match is used: `model.safetensors`,
 * `model.safetensors.index.json` with its shards, `pytorch_model.bin`, the only `*.pth.tar`.
 *
 * @throws {Deno.errors.NotFound} if a file is missing; the message names it.
 * @throws {SyntaxError} if a file is damaged; the message names it.
 * @throws {TypeError} if the folder has several `*.pth.tar` files, or the file has an unknown suffix.
 */
export async function readCheckpoint(source: string): Promise<Checkpoint> {
  const { isDirectory } = await statSource(source);
  const folder = isDirectory ? source : dirname(source);
  const config = await readJson(join(folder, "config.json"));
  if (config === undefined) throw missing(folder, "config.json");
  const preprocessorConfig = await readJson(join(folder, "preprocessor_config.json"));
  const tensors = isDirectory ? await readFolder(folder) : await readWeights(source);
  return { config, preprocessorConfig, tensors };
}

async function statSource(source: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(source);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Deno.errors.NotFound(`Cannot read ${source}: no such folder or file`);
  }
}

async function readFolder(folder: string): Promise<Tensors> {
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

async function readWeights(path: string): Promise<Tensors> {
  const [, read] = READERS.find(([suffix]) => path.endsWith(suffix)) ?? [];
  if (!read) {
    const suffixes = READERS.map(([suffix]) => suffix).join(", ");
    throw new TypeError(`Cannot read ${path} as weights: its name must end in one of ${suffixes}`);
  }
  const bytes = await readIfThere(path);
  if (!bytes) throw missing(dirname(path), basename(path));
  try {
    return read(bytes);
  } catch (error) {
    throw new SyntaxError(`${path}: ${(error as Error).message}`);
  }
}

/** The authors' prefix for the model's weights; the other weights were only used to train it. */
const TARGET_ENCODER = "target_encoder.";

/** Reads a PyTorch file; from a training checkpoint it returns only the target encoder. */
function readStateDict(bytes: Uint8Array): Tensors {
  const tensors = readPytorch(bytes);
  const encoder = [...tensors].filter(([name]) => name.startsWith(TARGET_ENCODER));
  if (encoder.length === 0) return tensors;
  return new Map(encoder.map(([name, tensor]) => [name.slice(TARGET_ENCODER.length), tensor]));
}

/** A plain file name, so that an index cannot refer to a file outside the model's folder. */
const SHARD_NAME = /^[\w-][\w.-]*\.safetensors$/;

/** Reads `{"weight_map": {tensor: file}}`, then from each file the tensors mapped to it. */
async function readShards(folder: string): Promise<Tensors> {
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
    const read = await readWeights(join(folder, shard));
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
  return tensors;
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
