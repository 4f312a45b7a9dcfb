import { readErrorMessage } from "../../hub/file_error.ts";
import { readMsnTraining } from "../../hub/read_msn_training.ts";
import { IMAGENET, parsePreprocessorConfig } from "../../preprocess/preprocessor_config.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { modelConfigOf } from "../../train/msn/model_names.ts";
import type { MsnConfig } from "../../train/msn/msn_settings.ts";
import type { PretrainModel } from "../../train/msn/pretrain.ts";
import type { PretrainStart } from "../../train/msn/start_networks.ts";
import { parseConfig } from "../../vit_msn/config.ts";
import type { Sidecars } from "../../vit_msn/model_file.ts";
import { toWeights } from "../../vit_msn/weights.ts";
import type { OptionValues } from "../command.ts";
import type { Terminal } from "../output/terminal.ts";
import { findOnnxFile } from "./model_folder.ts";
import { type MODEL_OPTIONS, readModelOption } from "./model_option.ts";

/** The model that is pre-trained, and the documents of the file that is written. */
export interface PretrainModelOption {
  readonly model: PretrainModel;
  readonly documents: Required<Sidecars>;
  /** What a checkpoint has to go on from. */
  readonly start?: PretrainStart;
  /** Whether the weights are new. */
  readonly isFromScratch: boolean;
}

/** The suffixes of weights files with a config.json beside them. */
const WEIGHTS = /\.(pth|pth\.tar|bin|safetensors)$/;
/** The size of images for a model that is only named, as its authors trained it. */
const NAMED_SIZE = 224;

/**
 * Reads what `--model` names: an ONNX file, a model of the hub, or a checkpoint with its projection head and
 * prototypes, if it has them. Without it, a configuration's `model_name` is a new model of that shape, and the
 * embedded model the default.
 *
 * @throws {Error} if it cannot be read; the message names it.
 */
export async function pretrainModel(
  values: OptionValues<typeof MODEL_OPTIONS> & { readonly "from-scratch": boolean },
  config: MsnConfig,
  terminal: Terminal,
): Promise<PretrainModelOption> {
  const isFromScratch = values["from-scratch"];
  const name = config.meta?.model_name;
  if (values.model === undefined && name !== undefined) {
    const size = config.data?.rand_size ?? NAMED_SIZE;
    const json = modelConfigOf(name, size);
    return { ...described(json, undefined), isFromScratch: true };
  }
  if (
    values.model !== undefined && values.dtype === undefined && await isCheckpoint(values.model)
  ) {
    return { ...await readStart(values.model), isFromScratch };
  }
  const file = await readModelOption(values, terminal);
  return { model: file, documents: file.documents, isFromScratch };
}

async function isCheckpoint(source: string): Promise<boolean> {
  if (WEIGHTS.test(source)) return true;
  const found = await Deno.stat(source).catch(() => undefined);
  if (!found?.isDirectory) return false;
  // A folder of ONNX files has no weights file.
  return await findOnnxFile(source, "f32").then(() => false, () => true);
}

async function readStart(source: string): Promise<Omit<PretrainModelOption, "isFromScratch">> {
  const training = await readMsnTraining(source);
  try {
    const { encoderHead, targetHead, prototypes } = training;
    const { model, documents } = described(training.config, training.preprocessorConfig);
    const start: PretrainStart = {
      encoder: toWeights(training.encoder, model.config),
      targetEncoder: toWeights(training.targetEncoder, model.config),
      ...(encoderHead && targetHead && prototypes
        ? {
          head: floats(encoderHead),
          targetHead: floats(targetHead),
          prototypes: toFloat32(prototypes),
        }
        : {}),
    };
    return { model, documents, start };
  } catch (error) {
    throw new Error(`${source}: ${readErrorMessage(error)}`);
  }
}

function described(configJson: unknown, preprocessorJson: unknown) {
  const config = parseConfig(configJson);
  const [height, width] = config.imageSize;
  const preprocessor = preprocessorJson ?? { size: { height, width }, ...IMAGENET };
  return {
    model: { config, preprocessorConfig: parsePreprocessorConfig(preprocessor) },
    documents: { config: configJson, preprocessorConfig: preprocessor },
  };
}

function floats(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...tensors].filter(([name]) => !name.endsWith("num_batches_tracked"))
      .map(([name, tensor]) => [name, toFloat32(tensor)]),
  );
}
