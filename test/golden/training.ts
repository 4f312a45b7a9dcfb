import type { Tensor } from "../../src/tensor/tensor.ts";
import { type MsnReplaySettings, parseMsnReplaySettings } from "../../src/train/msn/replay_msn.ts";
import { parseReplaySettings, type ReplaySettings } from "../../src/train/finetune/replay.ts";
import { parseConfig, type ViTMSNConfig } from "../../src/vit_msn/config.ts";
import { toWeights, type ViTMSNWeights } from "../../src/vit_msn/weights.ts";
import { readGolden } from "./golden.ts";

/** The cases of fine-tuning of which there are PyTorch's values. */
export const FINETUNE_CASES = ["full", "frozen", "lora", "soft_targets", "multi_label"] as const;

/** A case of fine-tuning: a model, how it is trained, and what comes of it. */
export interface FinetuneCase {
  readonly config: ViTMSNConfig;
  readonly weights: ViTMSNWeights;
  readonly settings: ReplaySettings;
  /** The `train.json`, not yet checked. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Parameters whose gradient is 0 but for rounding, which AdamW turns into steps as large as others. */
  readonly zeroGradient: readonly string[];
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly expected: ReadonlyMap<string, Tensor>;
}

/** Reads a case. */
export function finetuneCase(name: typeof FINETUNE_CASES[number]): FinetuneCase {
  const folder = `train/finetune/${name}`;
  const read = (file: string) =>
    JSON.parse(Deno.readTextFileSync(new URL(`${folder}/${file}`, import.meta.url)));
  const config = parseConfig(read("config.json"));
  const json = read("train.json");
  const tensors = [...readGolden(`${folder}/expected.safetensors`)];
  const isInput = ([key]: readonly [string, unknown]) =>
    /^(pixel_values|labels|targets|init\..*)$/.test(key);
  return {
    config,
    weights: toWeights(readGolden(`${folder}/model.safetensors`), config),
    settings: parseReplaySettings(json),
    json,
    zeroGradient: json.zero_gradient,
    inputs: new Map(tensors.filter(isInput)),
    expected: new Map(tensors.filter((entry) => !isInput(entry))),
  };
}

/** The cases of MSN pre-training of which there are PyTorch's values. */
export const MSN_CASES = ["msn", "msn_sinkhorn"] as const;

/** A case of MSN pre-training. */
export interface MsnCase {
  readonly config: ViTMSNConfig;
  /** Encoder, `fc.*`, `prototypes` and `target.*`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly settings: MsnReplaySettings;
  readonly json: Readonly<Record<string, unknown>>;
  readonly zeroGradient: readonly string[];
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly expected: ReadonlyMap<string, Tensor>;
}

/** Reads a case. */
export function msnCase(name: typeof MSN_CASES[number]): MsnCase {
  const folder = "train/pretrain";
  const read = (file: string) =>
    JSON.parse(Deno.readTextFileSync(new URL(`${folder}/${file}`, import.meta.url)));
  const json = read(`${name}/train.json`);
  const tensors = [...readGolden(`${folder}/${name}/expected.safetensors`)];
  const isInput = ([key]: readonly [string, unknown]) => /^(.*_pixel_values|keep)$/.test(key);
  return {
    config: parseConfig(read("config.json")),
    tensors: readGolden(`${folder}/model.safetensors`),
    settings: parseMsnReplaySettings(json),
    json,
    zeroGradient: json.zero_gradient,
    inputs: new Map(tensors.filter(isInput)),
    expected: new Map(tensors.filter((entry) => !isInput(entry))),
  };
}
