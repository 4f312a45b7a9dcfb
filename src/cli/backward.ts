import { readSafetensors, type Tensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { readCheckpoint } from "../hub/read_checkpoint.ts";
import { readWhole } from "../hub/read_whole.ts";
import { writeFile } from "../hub/write_file.ts";
import { MAX_THREADS } from "../runtime/simd/runtime.ts";
import { parseMsnReplaySettings, replayMsn } from "../train/msn/replay_msn.ts";
import { parseReplaySettings, replay } from "../train/finetune/replay.ts";
import { parseConfig, type ViTMSNConfig } from "../vit_msn/config.ts";
import { readModelFile, verifiedWeights } from "../vit_msn/model_file.ts";
import { toCheckpoint } from "../vit_msn/to_checkpoint.ts";
import { toWeights, type ViTMSNWeights } from "../vit_msn/weights.ts";
import { choiceOption, type Command, numberOption, requiredOption, UsageError } from "./command.ts";
import { main } from "./main.ts";
import { printable } from "./output/printable.ts";

const options = {
  model: {
    value: "SOURCE",
    help:
      "A folder with config.json and weights, or the weights file, as `deno task convert` takes " +
      "them; or an ONNX file of this project with f32 or f16 weights; required",
  },
  inputs: {
    value: "FILE",
    help:
      "A safetensors file with pixel_values [B, C, H, W] and labels or targets and, optionally, " +
      "bool_masked_pos, kept_patches and, for LoRA, the adapters as init.*; required",
  },
  settings: {
    value: "FILE",
    help: "The JSON file with problem, the list lr and, optionally, betas, eps, weight_decay, " +
      "label_smoothing, clip_grad_norm, ema_decay, frozen_blocks, lora and parameters; required",
  },
  out: { value: "FILE", help: "The safetensors file to write; required" },
  objective: {
    value: "WHAT",
    help: "classification (default), or msn: the inputs are target_pixel_values, " +
      "anchor_pixel_values and, optionally, focal_pixel_values and keep; the model has fc.*, " +
      "prototypes and, optionally, target.*; the settings have the lists lr, weight_decay and momentum",
  },
  threads: { value: "N", help: "Compute in N threads; default 1" },
};

/** The inputs of each objective. */
const INPUTS = {
  classification: /^(pixel_values|bool_masked_pos|kept_patches|labels|targets|init\..*)$/,
  msn: /^((target|anchor|focal)_pixel_values|keep)$/,
};
/** What the command writes: a file of expected results is an input, too. */
const RESULTS =
  /^((loss|logits|grad_norm|cross_entropy|me_max|entropy)$|grad\.|(anchor|target)_(features|projections|probabilities)|(step|ema|merged|forward|target)\d+\.)/;

/** `deno task backward`: trains a model on tensors, for comparison with other implementations. */
export const backward: Command<typeof options> = {
  name: "backward",
  usage: "--model SOURCE --inputs IN.safetensors --settings train.json --out OUT.safetensors",
  description:
    "Trains a model on one batch, with one step of AdamW for each learning rate, and writes what PyTorch\n" +
    "gives under the same names: loss and grad_norm of each step, logits and grad.* of the first, parameters\n" +
    "after the first and the last of N steps as step1.* and stepN.*, their moving average as emaN.*, and with\n" +
    "LoRA the merged weights as mergedN.*. With --objective msn, a step of MSN pre-training instead.",
  options,
  examples: [
    [
      "--model my-model --inputs in.safetensors --settings train.json --out out.safetensors",
      "Compare with PyTorch",
    ],
    [
      "--objective msn --model msn --inputs in.safetensors --settings train.json --out out.safetensors",
      "MSN pre-training",
    ],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`unexpected argument ${positional[0]}`);
    const source = requiredOption("model", values.model);
    const inputsPath = requiredOption("inputs", values.inputs);
    const settingsPath = requiredOption("settings", values.settings);
    const out = requiredOption("out", values.out);
    const threads = numberOption("threads", values.threads, {
      otherwise: 1,
      min: 1,
      max: MAX_THREADS,
      integer: true,
    });
    const objective = choiceOption("objective", values.objective, ["classification", "msn"]);
    const isInput = (name: string) => INPUTS[objective].test(name);
    const tensors = await read(inputsPath, readSafetensors);
    const others = [...tensors.keys()].filter((name) => !isInput(name) && !RESULTS.test(name));
    if (others.length > 0) {
      const names = printable(others.join(", "));
      terminal.stderr.write(`backward: ignored tensors, which are no inputs: ${names}\n`);
    }
    const inputs = new Map([...tensors].filter(([name]) => isInput(name)));
    const results = objective === "msn"
      ? await replayMsnModel(source, inputs, settingsPath, threads)
      : await replayClassifier(source, inputs, settingsPath, threads);
    await writeFile(out, [writeSafetensors(results)]);
    return 0;
  },
};

async function replayClassifier(
  source: string,
  inputs: Tensors,
  settingsPath: string,
  threads: number,
): Promise<Tensors> {
  const settings = await read(settingsPath, (bytes) => parseReplaySettings(toJson(bytes)));
  const { config, weights } = await readTrainable(source);
  return await replay(config, weights, inputs, settings, { threads });
}

async function replayMsnModel(
  source: string,
  inputs: Tensors,
  settingsPath: string,
  threads: number,
): Promise<Tensors> {
  const settings = await read(settingsPath, (bytes) => parseMsnReplaySettings(toJson(bytes)));
  const { config: json, tensors } = await readCheckpoint(source);
  try {
    return await replayMsn(parseConfig(json), tensors, inputs, settings, { threads });
  } catch (error) {
    throw new Error(`${source}: ${readErrorMessage(error)}`);
  }
}

/** @throws {Error} if the file cannot be read or parsed; the message names it. */
async function read<T>(path: string, parse: (bytes: Uint8Array) => T): Promise<T> {
  try {
    return parse(await readWhole(path));
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
  }
}

function toJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new SyntaxError("Cannot read the settings: the file is not JSON");
  }
}

/**
 * Reads a checkpoint or an ONNX file.
 *
 * @throws {Error} if it cannot be read or trained; the message names it.
 */
async function readTrainable(
  source: string,
): Promise<{ config: ViTMSNConfig; weights: ViTMSNWeights }> {
  if (source.endsWith(".onnx")) return await read(source, ofModelFile);
  const { config: json, tensors } = await readCheckpoint(source);
  try {
    const config = parseConfig(json);
    return { config, weights: toWeights(tensors, config) };
  } catch (error) {
    throw new Error(`${source}: ${readErrorMessage(error)}`);
  }
}

function ofModelFile(bytes: Uint8Array): { config: ViTMSNConfig; weights: ViTMSNWeights } {
  const file = readModelFile(bytes);
  if ([...verifiedWeights(file).values()].some(({ dtype }) => dtype === "int8")) {
    throw new TypeError(
      "Cannot compare gradients: the weights are rounded to int8; " +
        "take the f32 or f16 file of the same model, which `deno task convert` writes",
    );
  }
  // A fitted head becomes the classifier.
  return { config: file.config, weights: toWeights(toCheckpoint(file).tensors, file.config) };
}

if (import.meta.main) await main(backward);
