import {
  loadClassifier,
  loadModel,
  type ViTMSNForImageClassification,
  type ViTMSNModel,
} from "../model.ts";
import { type ModelFile, readModelFile } from "../vit_msn/model_file.ts";
import { errorMessage, type Options, type OptionValues } from "./command.ts";
import { readErrorMessage } from "./file_error.ts";
import { hubModelFile, hubNameOf, OFFLINE_OPTION } from "./hub_model.ts";
import type { Terminal } from "./terminal.ts";

/** The options of every command that has to do with a model. */
export const MODEL_OPTIONS = {
  model: {
    value: "MODEL",
    help: "An ONNX file of `convert`, or org/name[@revision] of the Hugging Face hub; " +
      "default is the embedded one",
  },
  offline: OFFLINE_OPTION,
} as const satisfies Options;

type ModelOptionValues = OptionValues<typeof MODEL_OPTIONS>;

/**
 * Loads the model that `--model` names, or the embedded one. A model of the hub is downloaded and
 * converted, unless that was done before.
 *
 * @throws {Error} if it cannot be had or read, or is no model; the message names it or its file.
 */
export async function loadModelOption(
  values: ModelOptionValues,
  terminal: Terminal,
): Promise<ViTMSNModel> {
  return await openModel(values, terminal, loadModel);
}

/**
 * The same for a model that classifies.
 *
 * @throws {Error} also if it has no trained classifier.
 */
export async function loadClassifierOption(
  values: ModelOptionValues,
  terminal: Terminal,
): Promise<ViTMSNForImageClassification> {
  return await openModel(values, terminal, loadClassifier);
}

/** The same without making it ready to run. */
export async function readModelOption(
  values: ModelOptionValues,
  terminal: Terminal,
): Promise<ModelFile> {
  return await openModel(values, terminal, readModelFile);
}

async function openModel<T>(
  { model, offline }: ModelOptionValues,
  terminal: Terminal,
  open: (bytes: Uint8Array) => T | Promise<T>,
): Promise<T> {
  if (model === undefined) {
    const embedded = await import("../../functions/_shared/model.onnx", {
      with: { type: "bytes" },
    });
    return await open(embedded.default);
  }
  const name = await hubNameOf(model);
  const path = name ? await hubModelFile(name, offline, terminal) : model;
  try {
    return await open(await Deno.readFile(path));
  } catch (error) {
    throw new Error(`${path}: ${errorMessage(readErrorMessage(error))}`);
  }
}
