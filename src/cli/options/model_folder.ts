import { basename, dirname, join, resolve } from "@std/path";
import type { Sidecars } from "../../vit_msn/model_file.ts";
import { readErrorMessage } from "../../hub/file_error.ts";

/** The values of `--dtype`. */
export const DTYPES = ["f32", "f16", "int8", "q4"] as const;

/** This project's name for the weights' data type. */
export type Dtype = typeof DTYPES[number];

/** The file names that optimum and transformers.js use for each dtype. */
const FILES: Readonly<Record<Dtype, readonly string[]>> = {
  f32: ["model.onnx"],
  f16: ["model_fp16.onnx", "model_f16.onnx"],
  int8: ["model_int8.onnx", "model_quantized.onnx"],
  q4: ["model_q4.onnx"],
};

/**
 * Finds the ONNX file with the given dtype in a folder written by optimum or transformers.js: in its
 * subfolder `onnx`, or else in the folder itself.
 *
 * @throws {Error} if there is none; the message lists the candidates.
 */
export async function findOnnxFile(folder: string, dtype: Dtype): Promise<string> {
  const candidates = ["onnx", "."].flatMap((place) =>
    FILES[dtype].map((file) => join(place, file))
  );
  for (const candidate of candidates) {
    const path = join(folder, candidate);
    if (await isFile(path)) return path;
  }
  throw new Error(
    `${folder}: found none of ${
      candidates.join(", ")
    }; \`deno task convert\` converts a checkpoint`,
  );
}

/**
 * Reads config.json and preprocessor_config.json beside an ONNX file, or beside the folder `onnx` that
 * contains it.
 *
 * @throws {Error} if one exists but cannot be read; the message names it.
 */
export async function readSidecars(onnxFile: string): Promise<Sidecars> {
  const folder = dirname(resolve(onnxFile));
  const folders = basename(folder) === "onnx" ? [folder, dirname(folder)] : [folder];
  const config = await readFirst(folders, "config.json");
  const preprocessorConfig = await readFirst(folders, "preprocessor_config.json");
  return {
    ...(config === undefined ? {} : { config }),
    ...(preprocessorConfig === undefined ? {} : { preprocessorConfig }),
  };
}

async function readFirst(folders: readonly string[], name: string): Promise<unknown> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (!await isFile(path)) continue;
    try {
      return JSON.parse(await Deno.readTextFile(path));
    } catch (error) {
      const reason = error instanceof SyntaxError ? "it is not JSON" : readErrorMessage(error);
      throw new Error(`${path}: ${reason}`);
    }
  }
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
