import { concat } from "@std/bytes/concat";
import { CONVERTED_FILES } from "../../hub/converted_files.ts";
import { MissingFileError } from "../../hub/missing_file_error.ts";
import { type ModelFolder, readJson } from "../../hub/model_folder.ts";
import { checkpointTensors } from "../../hub/read_checkpoint.ts";
import {
  missingFile,
  readWeights,
  readWeightsOf,
  type WeightsFile,
} from "../../hub/read_weights.ts";
import type { ModelProto } from "../../onnx/model_proto.ts";
import { readModel } from "../../onnx/read_model.ts";
import { fromCheckpoint } from "../../vit_msn/from_checkpoint.ts";
import {
  isSelfContained,
  type ModelFile,
  readModelFile,
  type Sidecars,
  toModelFile,
} from "../../vit_msn/model_file.ts";
import type { WeightDataType } from "../../vit_msn/quantize.ts";

/** The names of optimum and transformers.js, where they are not this project's. */
const OTHER_NAMES = { f32: [], f16: ["model_fp16.onnx"], int8: ["model_quantized.onnx"] } as const;

/** The folder in which transformers.js has its ONNX files. */
const ONNX = "onnx/";

const CONFIG = "config.json";
const PREPROCESSOR_CONFIG = "preprocessor_config.json";

/** A model that was read, and whether it was converted from a checkpoint. */
export interface ReadModel {
  readonly file: ModelFile;
  readonly isConverted: boolean;
}

/** An ONNX file that was read and parsed. */
interface OnnxFile {
  readonly bytes: Uint8Array;
  readonly proto: ModelProto;
  /** Its name in the folder. */
  readonly name: string;
}

/**
 * Reads a model from a folder. The first of these is used:
 *
 * 1. this project's ONNX file: `model.onnx`, or for `f16` and `int8` `model_f16.onnx` and `model_int8.onnx`;
 * 2. a checkpoint, which is converted: `config.json` with `model.safetensors`, its shards,
 *    `pytorch_model.bin` or, in a folder of this machine, the only `*.pth.tar`;
 * 3. an ONNX file of another tool with `config.json` and `preprocessor_config.json`: of the same names or,
 *    as optimum and transformers.js call them, `model_fp16.onnx` and `model_quantized.onnx`, in the folder
 *    or in its `onnx/`.
 *
 * @throws {MissingFileError} if there is none; the message lists what was looked for.
 * @throws {SyntaxError} if a file is damaged, and {TypeError} if the model cannot be used.
 */
export async function readPretrained(
  folder: ModelFolder,
  dtype: WeightDataType,
): Promise<ReadModel> {
  const own = await readOnnx(folder, CONVERTED_FILES[dtype]);
  if (own && isSelfContained(own.proto)) return await toRead(folder, own);
  const config = await readJson(folder, CONFIG);
  const weights = config === undefined ? undefined : await readWeightsOf(folder);
  if (weights) return await convert(folder, config, weights, dtype);
  const names = [CONVERTED_FILES[dtype], ...OTHER_NAMES[dtype]];
  const others = [...names.slice(1), ...names.map((name) => ONNX + name)];
  const other = own ?? await firstOnnx(folder, others);
  if (other) return await toRead(folder, other);
  throw new MissingFileError(
    `Cannot load the model ${folder.name}: it does not exist, or has neither ` +
      `${
        [names[0], ...others].join(", ")
      } nor ${CONFIG} with model.safetensors or pytorch_model.bin`,
  );
}

/**
 * Reads a model from one file of a folder, with the documents beside it.
 *
 * @param file an ONNX file, or weights.
 * @throws {MissingFileError} if it does not exist; the message names it.
 * @throws {SyntaxError} if a file is damaged, and {TypeError} if the model cannot be used.
 */
export async function readPretrainedFile(
  folder: ModelFolder,
  file: string,
  dtype: WeightDataType | undefined,
): Promise<ReadModel> {
  if (file.endsWith(".onnx")) {
    if (dtype !== undefined) {
      throw new TypeError(
        `Cannot use dtype: it is ${dtype}, but ${
          folder.locate(file)
        } is a single file with a fixed dtype`,
      );
    }
    const onnx = await readOnnx(folder, file);
    if (onnx) return await toRead(folder, onnx);
    throw new MissingFileError(`Cannot load the model ${folder.locate(file)}: no such file`);
  }
  const config = await readJson(folder, CONFIG);
  if (config === undefined) throw missingFile(folder, CONFIG);
  const weights = await readWeights(folder, file);
  if (weights) return await convert(folder, config, weights, dtype ?? "f32");
  throw new MissingFileError(`Cannot load the model ${folder.locate(file)}: no such file`);
}

async function convert(
  folder: ModelFolder,
  config: unknown,
  weights: WeightsFile,
  dtype: WeightDataType,
): Promise<ReadModel> {
  const preprocessorConfig = await readJson(folder, PREPROCESSOR_CONFIG);
  const checkpoint = { config, preprocessorConfig, tensors: checkpointTensors(weights.tensors) };
  // What it warns of is in the documentation, or fails when it is used.
  const { chunks } = fromCheckpoint(checkpoint, { dtype }, folder.name, () => {});
  return { file: readModelFile(concat(chunks)), isConverted: true };
}

async function toRead(folder: ModelFolder, { bytes, proto, name }: OnnxFile): Promise<ReadModel> {
  const sidecars = isSelfContained(proto) ? {} : await readSidecars(folder, name);
  return { file: toModelFile(bytes, proto, sidecars), isConverted: false };
}

async function firstOnnx(
  folder: ModelFolder,
  names: readonly string[],
): Promise<OnnxFile | undefined> {
  for (const name of names) {
    const onnx = await readOnnx(folder, name);
    if (onnx) return onnx;
  }
}

async function readOnnx(folder: ModelFolder, name: string): Promise<OnnxFile | undefined> {
  const bytes = await folder.read(name);
  if (!bytes) return undefined;
  try {
    return { bytes, proto: readModel(bytes), name };
  } catch (error) {
    throw new SyntaxError(`${folder.locate(name)}: ${(error as Error).message}`);
  }
}

/** The documents beside an ONNX file, or beside the folder `onnx` that it is in. */
async function readSidecars(folder: ModelFolder, onnxFile: string): Promise<Sidecars> {
  const places = onnxFile.startsWith(ONNX) ? [ONNX, ""] : [""];
  const config = await firstJson(folder, places, CONFIG);
  const preprocessorConfig = await firstJson(folder, places, PREPROCESSOR_CONFIG);
  return {
    ...(config === undefined ? {} : { config }),
    ...(preprocessorConfig === undefined ? {} : { preprocessorConfig }),
  };
}

async function firstJson(
  folder: ModelFolder,
  places: readonly string[],
  name: string,
): Promise<unknown> {
  for (const place of places) {
    const json = await readJson(folder, place + name);
    if (json !== undefined) return json;
  }
}
