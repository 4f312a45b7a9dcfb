import { join } from "@std/path";
import { readErrorMessage, writeErrorMessage } from "../hub/file_error.ts";
import { fileErrorCode } from "../hub/file_error_code.ts";
import { readBytes, readWhole } from "../hub/read_whole.ts";
import { writeFile } from "../hub/write_file.ts";
import type { ModelProto } from "../onnx/model_proto.ts";
import { readModel } from "../onnx/read_model.ts";
import { isOfHead } from "../vit_msn/head/head_file.ts";
import { isSelfContained, type ModelFile, toModelFile } from "../vit_msn/model_file.ts";
import {
  checkpointFiles,
  EXPORTED_START_BYTES,
  type HuggingFaceCheckpoint,
  isExportedWeights,
  toCheckpoint,
  WEIGHTS_FILE,
} from "../vit_msn/to_checkpoint.ts";
import { type Command, errorMessage, onlyArgument, requiredOption } from "./command.ts";
import { main } from "./main.ts";
import { FORCE_OPTION } from "./options/overwrite.ts";
import { urlText } from "./options/url_argument.ts";
import { log } from "./output/log.ts";
import { printable } from "./output/printable.ts";

const options = {
  out: { value: "FOLDER", help: "The folder to write into; required" },
  force: FORCE_OPTION,
};

/** `deno task export`: converts an ONNX file of this project to Hugging Face's files. */
export const exportModel: Command<typeof options> = {
  name: "export",
  usage: "MODEL.onnx --out FOLDER",
  description:
    "Writes config.json, model.safetensors and preprocessor_config.json, which Python's transformers\n" +
    "load: with ViTMSNForImageClassification, or without a classifier with ViTMSNModel. MODEL.onnx is\n" +
    "a file of `deno task convert` or `fit` with f32 or f16 weights. A fitted classifier goes along,\n" +
    "except k-nearest neighbours, which the format has no place for.",
  options,
  examples: [
    ["vit-msn-small.onnx --out vit-msn-small", "A converted model"],
    ["my.onnx --out my-model", "A model with a fitted classifier"],
  ],
  async run(positional, { out: folder, force }, terminal) {
    const path = onlyArgument(positional, "model");
    const out = requiredOption("out", folder);
    const { file, checkpoint } = await readExportable(path);
    if (!force) await assertReplaceable(out);
    if (file.head?.settings.unknown) {
      log("export", terminal)(
        "the classifier's rule for unknown images is left out: Hugging Face's format has no place for it",
      );
    }
    await writeFolder(out, checkpointFiles(checkpoint));
    const [architecture] = checkpoint.config.architectures as [string];
    terminal.stdout.write(
      printable(`${out}: ${architecture}.from_pretrained(${JSON.stringify(out)})`) + "\n",
    );
    return 0;
  },
};

/** @throws {Error} if the file cannot be read or exported; the message names it. */
async function readExportable(
  path: string,
): Promise<{ file: ModelFile; checkpoint: HuggingFaceCheckpoint }> {
  try {
    const bytes = await readWhole(path);
    const proto = readModel(bytes);
    assertOwn(proto);
    const file = toModelFile(bytes, proto);
    return { file, checkpoint: toCheckpoint(file) };
  } catch (error) {
    const url = fileErrorCode(error) === "ENOENT" ? urlText(path) : undefined;
    throw new Error(`${path}: ${errorMessage(url ?? readErrorMessage(error))}`);
  }
}

/** @throws {TypeError} if the file is a head alone, or another tool made it. */
function assertOwn(proto: ModelProto): void {
  if (isSelfContained(proto)) return;
  throw new TypeError(
    [...proto.metadataProps.keys()].some(isOfHead)
      ? "Cannot export a head alone: write it with its backbone, with `deno task fit PHOTOS --out FILE.onnx`"
      : "Cannot export the ONNX model: another tool made it; use the checkpoint that it was made from",
  );
}

/** The files that the command writes. */
const FILES = [WEIGHTS_FILE, "config.json", "preprocessor_config.json"];

/**
 * Checks that writing the files overwrites only an earlier export. The folder's other files stay.
 *
 * @throws {Error} if the folder has one of the files, but no weights that this command wrote.
 */
async function assertReplaceable(folder: string): Promise<void> {
  if (await hasExportedWeights(folder)) return;
  for (const name of FILES) {
    const path = join(folder, name);
    if (!await exists(path)) continue;
    throw new Error(
      `Cannot write ${path}: a file exists that \`deno task export\` did not make; choose another ` +
        "folder, or add --force to overwrite it",
    );
  }
}

async function hasExportedWeights(folder: string): Promise<boolean> {
  try {
    using file = await Deno.open(join(folder, WEIGHTS_FILE));
    return isExportedWeights(await readBytes(file, EXPORTED_START_BYTES));
  } catch {
    return false; // no file, or one whose write reports the actual error
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** @throws {Error} if a file cannot be written; the message names it. */
async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, readonly Uint8Array[]>,
): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    const isFile = error instanceof Deno.errors.AlreadyExists ||
      error instanceof Deno.errors.NotADirectory;
    throw new Error(
      `Cannot write the folder ${folder}: ${
        isFile ? "a file is in its place; choose another name" : writeErrorMessage(error)
      }`,
    );
  }
  for (const [name, chunks] of files) await writeFile(join(folder, name), chunks);
}

if (import.meta.main) await main(exportModel);
