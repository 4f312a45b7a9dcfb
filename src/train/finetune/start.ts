import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { TrainingEngine } from "../engine/engine.ts";
import { randomStream, Stream } from "../random_stream.ts";
import type { TuneMode } from "../tune.ts";
import { type FinetuneProgress, type FinetuneState, restoreState } from "./training_state.ts";

/** Where a training starts. */
export interface Start {
  readonly progress: FinetuneProgress;
  readonly best?: ReadonlyMap<string, Tensor<"float32">> | undefined;
}

/**
 * Puts the state of an interrupted training back.
 *
 * @throws {TypeError} if it belongs to another training.
 */
export async function resume(
  engine: TrainingEngine,
  keepsAverage: boolean,
  fingerprint: string,
  state: FinetuneState,
): Promise<Start> {
  const { progress } = state;
  if (progress.fingerprint !== fingerprint) {
    throw new TypeError(
      "Cannot resume: the state belongs to a training with another model, other photos, options or threads",
    );
  }
  return { progress, best: await restoreState(engine, keepsAverage, state) };
}

/** Begins a training. */
export async function begin(
  engine: TrainingEngine,
  keepsAverage: boolean,
  fingerprint: string,
): Promise<Start> {
  for (const name of keepsAverage ? engine.parameters.names : []) {
    engine.write("average", name, engine.read("parameters", name).data);
  }
  await engine.refresh();
  return {
    progress: {
      fingerprint,
      tune: engine.tune,
      epoch: 1,
      stepInEpoch: 0,
      step: 0,
      lossSum: 0,
      imageSum: 0,
      normSum: 0,
      seconds: 0,
      records: [],
    },
  };
}

/** A new classifier: zeros. */
export function newClassifier(
  K: number,
  { hiddenSize: D }: ViTMSNConfig,
): [string, Tensor<"float32">][] {
  return [
    ["classifier.weight", { dtype: "float32", shape: [K, D], data: new Float32Array(K * D) }],
    ["classifier.bias", { dtype: "float32", shape: [K], data: new Float32Array(K) }],
  ];
}

/** The adapters of LoRA: A is uniform(±1/√inputs), as PEFT has it; B is 0. */
export function startAdapters(engine: TrainingEngine, tune: TuneMode, seed: number): void {
  if (tune.kind !== "lora") return;
  engine.parameters.names.filter((name) => name.endsWith(".lora_A.weight")).forEach((name, i) => {
    const { shape, size } = engine.parameters.get(name)!;
    const random = randomStream(seed, Stream.ADAPTERS, i);
    const bound = 1 / Math.sqrt(shape[1]!);
    engine.write(
      "parameters",
      name,
      Float32Array.from({ length: size }, () => bound * (2 * random() - 1)),
    );
  });
}
