import { concat } from "@std/bytes/concat";
import { readSafetensors, writeSafetensors } from "../../../src/checkpoint/safetensors.ts";
import type { RawImage } from "../../../src/image/raw_image.ts";
import { uniform } from "../../../src/tensor/random.ts";
import type { Tensor } from "../../../src/tensor/tensor.ts";
import { pretrain } from "../../../src/train/msn/pretrain.ts";
import type { MsnConfig } from "../../../src/train/msn/msn_settings.ts";
import type {
  PretrainDataset,
  PretrainEvent,
  PretrainRecord,
  PretrainResult,
  PretrainRun,
} from "../../../src/train/msn/pretrain_events.ts";
import type { PretrainOptions } from "../../../src/train/msn/pretrain_options.ts";
import {
  type PretrainState,
  pretrainStateOfTensors,
  pretrainStateToTensors,
} from "../../../src/train/msn/pretrain_state.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { type ModelFile, readModelFile, writeModelFile } from "../../../src/vit_msn/model_file.ts";
import { maxDifference } from "../../golden/golden.ts";
import { randomWeights } from "../../vit_msn/random_weights.ts";

/** A model that trains in milliseconds. */
export const CONFIG = {
  model_type: "vit_msn",
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
  image_size: 16,
  patch_size: 4,
};

/** @param change of each weight, by its name. */
export function modelOf(change?: ChangeWeights, config?: ModelConfig): ModelFile {
  return readModelFile(modelBytes(change, config));
}

type ChangeWeights = (name: string, data: Float32Array) => Float32Array;
type ModelConfig = Readonly<Record<string, unknown>>;

/** The ONNX file of {@linkcode modelOf}. */
export function modelBytes(
  change: ChangeWeights = (_, data) => data,
  config: ModelConfig = CONFIG,
): Uint8Array<ArrayBuffer> {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of randomWeights(parseConfig(config), { classifier: false })) {
    weights.set(name, { ...tensor, data: change(name, tensor.data as Float32Array) });
  }
  return concat(writeModelFile(config, { size: 16 }, weights, "f32"));
}

/** Images of noise, whose levels tell three classes apart. */
export function datasetOf(count = 12): PretrainDataset {
  const random = uniform(1);
  const labels = Array.from({ length: count }, (_, i) => i % 3);
  const images = labels.map((label): RawImage => ({
    width: 20,
    height: 18,
    data: Uint8Array.from({ length: 20 * 18 * 3 }, () => 30 + 60 * label + 60 * random()),
  }));
  return { labels, classes: ["dark", "middle", "bright"], image: (i) => images[i]! };
}

/** 3 steps an epoch, 6 in all; a record every 2. */
export const FEW = {
  recordEvery: 8,
  config: {
    criterion: { batch_size: 4, num_proto: 6 },
    data: { rand_size: 16, focal_size: 8 },
    meta: { hidden_dim: 12, output_dim: 8 },
    optimization: { epochs: 2, lr: 3e-3 },
  },
} as const satisfies PretrainOptions;

/** `FEW` with other knobs. */
export function knobs(changes: MsnConfig): MsnConfig {
  const { config } = FEW;
  return {
    criterion: { ...config.criterion, ...changes.criterion },
    data: { ...config.data, ...changes.data },
    meta: { ...config.meta, ...changes.meta },
    optimization: { ...config.optimization, ...changes.optimization },
  };
}

/** What a whole pre-training told. */
export interface Outcome {
  readonly events: readonly PretrainEvent[];
  readonly messages: readonly string[];
  readonly records: readonly PretrainRecord[];
  readonly result: PretrainResult;
}

export async function runPretrain(
  options: PretrainOptions = {},
  dataset = datasetOf(),
  more: PretrainRun = {},
  model: Parameters<typeof pretrain>[0] = modelOf(),
): Promise<Outcome> {
  const events = await Array.fromAsync(pretrain(model, dataset, { ...FEW, ...options }, more));
  const last = events.at(-1)!;
  if (last.kind !== "result") throw new Error(`the run ended with ${last.kind}`);
  return {
    events,
    messages: events.flatMap((event) => event.kind === "message" ? event.text : []),
    records: last.result.records,
    result: last.result,
  };
}

/** The state as a file gives it back. */
export function throughFile(state: PretrainState): PretrainState {
  return pretrainStateOfTensors(
    readSafetensors(writeSafetensors(pretrainStateToTensors(state))),
  );
}

/** Interrupts a run in its k-th step; returns the state as a file gives it back. */
export async function interruptedAt(
  k: number,
  options: PretrainOptions = {},
  dataset = datasetOf(),
  model: Parameters<typeof pretrain>[0] = modelOf(),
): Promise<PretrainState> {
  const controller = new AbortController();
  const { signal } = controller;
  let steps = 0;
  for await (const event of pretrain(model, dataset, { ...FEW, ...options }, { signal })) {
    if (event.kind === "step" && ++steps === k) controller.abort();
    if (event.kind === "interrupted") return throughFile(event.state);
  }
  throw new Error("the run was not interrupted");
}

/** All that must be the same after a resumed run. */
export function bitsOf({ result: { weights, settings, records, stopped } }: Outcome): unknown {
  return {
    weights: [...weights],
    settings,
    stopped,
    records: records.map((record) => ({ ...record, seconds: 0, imagesPerSecond: 0 })),
  };
}

/** The numbers of a tensor. */
export function floatsOf(weights: ReadonlyMap<string, Tensor>, name: string): Float32Array {
  return weights.get(name)!.data as Float32Array;
}

/** The largest difference of a tensor's numbers. */
export function distance(
  a: ReadonlyMap<string, Tensor>,
  b: ReadonlyMap<string, Tensor>,
  name: string,
): number {
  return maxDifference(floatsOf(a, name), floatsOf(b, name));
}

export function areFinite(weights: ReadonlyMap<string, Tensor>): boolean {
  return [...weights.values()].every(({ data }) => (data as Float32Array).every(Number.isFinite));
}
