import { readWhole } from "../../hub/read_whole.ts";
import { createClassifier, createModel } from "../../model/load_model.ts";
import type { ViTMSNForImageClassification, ViTMSNModel } from "../../model/vit_msn_model.ts";
import { readModel } from "../../onnx/read_model.ts";
import { type HeadFile, readHeadFile } from "../../vit_msn/head/head_file.ts";
import {
  isSelfContained,
  type ModelFile,
  readModelFile,
  toModelFile,
} from "../../vit_msn/model_file.ts";
import {
  choiceOption,
  errorMessage,
  type Options,
  type OptionValues,
  UsageError,
} from "../command.ts";
import { readErrorMessage } from "../../hub/file_error.ts";
import { fileErrorCode } from "../../hub/file_error_code.ts";
import { findHubName } from "../../hub/find_hub_name.ts";
import { hubModelFile, OFFLINE_OPTION } from "./hub_model.ts";
import { DTYPES, findOnnxFile, readSidecars } from "./model_folder.ts";
import { runtimeOption } from "./runtime_option.ts";
import type { Terminal } from "../output/terminal.ts";
import { urlText } from "./url_argument.ts";

/** The options of every command that takes a model. */
export const MODEL_OPTIONS = {
  model: {
    value: "MODEL",
    help: "An ONNX file, a folder of ONNX files written by optimum or transformers.js, or " +
      "org/name[@revision] on the Hugging Face hub; default is the embedded model",
  },
  dtype: {
    value: "TYPE",
    help: "The data type to choose from a folder's files, or to convert a hub model to: " +
      "f32 (default), f16, int8; for a folder also q4",
  },
  offline: OFFLINE_OPTION,
} as const satisfies Options;

/** The option of every command that classifies. */
export const HEAD_OPTION = {
  head: {
    value: "FILE",
    help: "Classify with this head on top of the model; made by `deno task fit … --head-only FILE`",
  },
} as const satisfies Options;

type ModelOptionValues = OptionValues<typeof MODEL_OPTIONS>;
type RunnableOptionValues = ModelOptionValues & Parameters<typeof runtimeOption>[0];
type ClassifierOptionValues = RunnableOptionValues & OptionValues<typeof HEAD_OPTION>;

/**
 * Loads the model that `--model` names, or the embedded one. A hub model is downloaded and
 * converted on first use.
 *
 * @throws {Error} if it cannot be downloaded or read, or is not a model; the message names it or its file.
 */
export async function loadModelOption(
  values: RunnableOptionValues,
  terminal: Terminal,
): Promise<ViTMSNModel> {
  const runtime = runtimeOption(values, terminal);
  return await openModel(values, terminal, (file) => createModel(file, { runtime }));
}

/**
 * Like {@linkcode loadModelOption}, for a model that classifies.
 *
 * @throws {Error} also if the model has no trained classifier.
 */
export async function loadClassifierOption(
  values: ClassifierOptionValues,
  terminal: Terminal,
): Promise<ViTMSNForImageClassification> {
  const runtime = runtimeOption(values, terminal);
  const head = await headOption(values.head);
  return await openModel(
    values,
    terminal,
    (file) => createClassifier(file, { ...head, runtime }),
  );
}

/** A model and the files it was loaded from. */
export interface OpenedModel {
  readonly model: ViTMSNModel;
  readonly file: ModelFile;
  /** The head on top of the model, if `--head` was given. */
  readonly head?: HeadFile;
}

/**
 * Like {@linkcode loadModelOption}, but also accepts a head and returns the files.
 *
 * @param threads the default of `--threads`; see {@linkcode runtimeOption}.
 */
export async function openModelOption(
  values: RunnableOptionValues & { readonly head?: string | undefined },
  terminal: Terminal,
  threads = 1,
): Promise<OpenedModel> {
  const runtime = runtimeOption(values, terminal, threads);
  const head = await headOption(values.head);
  return await openModel(values, terminal, async (file) => ({
    model: await createModel(file, { ...head, runtime }),
    file,
    ...head,
  }));
}

async function headOption(path: string | undefined): Promise<{ head?: HeadFile }> {
  if (path === undefined) return {};
  try {
    return { head: readHeadFile(await readWhole(path)) };
  } catch (error) {
    throw new Error(`${path}: ${errorMessage(readErrorMessage(error))}`);
  }
}

/** Like {@linkcode loadModelOption}, but only reads the file and creates no session. */
export async function readModelOption(
  values: ModelOptionValues,
  terminal: Terminal,
): Promise<ModelFile> {
  return await openModel(values, terminal, (file) => file);
}

async function openModel<T>(
  { model, offline, dtype: given }: ModelOptionValues,
  terminal: Terminal,
  open: (file: ModelFile) => T | Promise<T>,
): Promise<T> {
  const dtype = choiceOption("dtype", given, DTYPES);
  if (model === undefined) {
    assertNoDtype(given, "the embedded model");
    const embedded = await import("../../../functions/_shared/model.onnx", {
      with: { type: "bytes" },
    });
    return await open(readModelFile(embedded.default));
  }
  const name = await findHubName(model);
  let path = model;
  if (name) path = await hubModelFile(name, dtype, offline, terminal);
  else if (await isFolder(model)) path = await findOnnxFile(model, dtype);
  else assertNoDtype(given, model);
  try {
    const bytes = await readWhole(path);
    const proto = readModel(bytes);
    const sidecars = isSelfContained(proto) ? {} : await readSidecars(path);
    return await open(toModelFile(bytes, proto, sidecars));
  } catch (error) {
    const isMissing = fileErrorCode(error) === "ENOENT";
    const reason = isMissing ? urlText(model) ?? "no such file or folder" : readErrorMessage(error);
    throw new Error(`${path}: ${errorMessage(reason)}`);
  }
}

/** @throws {UsageError} if `--dtype` is given for a single file. */
function assertNoDtype(given: string | undefined, model: string): void {
  if (given !== undefined) {
    throw new UsageError(`--dtype is ${given}, but ${model} is a single file with a fixed dtype`);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
