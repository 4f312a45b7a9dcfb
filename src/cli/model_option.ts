import {
  loadClassifier,
  loadModel,
  type ViTMSNForImageClassification,
  type ViTMSNModel,
} from "../model.ts";
import { type ModelFile, readModelFile } from "../vit_msn/model_file.ts";
import { errorMessage, type Option } from "./command.ts";
import { readErrorMessage } from "./file_error.ts";

/** The option `--model` of every command that has to do with a model. */
export const MODEL_OPTION = {
  value: "FILE",
  help: "An ONNX model made by `convert`; default is the embedded one",
} as const satisfies Option;

/**
 * Loads the model that `--model` names, or the embedded one.
 *
 * @throws {Error} if it cannot be read or is no model; the message names the file.
 */
export async function loadModelOption(path: string | undefined): Promise<ViTMSNModel> {
  return await openModel(path, loadModel);
}

/**
 * The same for a model that classifies.
 *
 * @throws {Error} also if it has no trained classifier.
 */
export async function loadClassifierOption(
  path: string | undefined,
): Promise<ViTMSNForImageClassification> {
  return await openModel(path, loadClassifier);
}

/** The same without making it ready to run. */
export async function readModelOption(path: string | undefined): Promise<ModelFile> {
  return await openModel(path, readModelFile);
}

async function openModel<T>(
  path: string | undefined,
  open: (bytes: Uint8Array) => T | Promise<T>,
): Promise<T> {
  if (path === undefined) {
    const embedded = await import("../../functions/_shared/model.onnx", {
      with: { type: "bytes" },
    });
    return await open(embedded.default);
  }
  try {
    return await open(await Deno.readFile(path));
  } catch (error) {
    throw new Error(`${path}: ${errorMessage(readErrorMessage(error))}`);
  }
}
