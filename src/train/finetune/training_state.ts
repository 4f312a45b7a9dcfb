import type { Tensor } from "../../tensor/tensor.ts";
import type { TrainingEngine } from "../engine/engine.ts";
import type { VectorName } from "../engine/vectors.ts";
import type { FinetuneRecord, HeldOutValidation } from "./training_record.ts";
import type { TuneMode } from "../tune.ts";

/** Where a training is, beside its tensors. */
export interface FinetuneProgress {
  /** Settings, classes, photos, backbone and threads: those of a resumed training must be the same. */
  readonly fingerprint: string;
  /** What learns. */
  readonly tune: TuneMode;
  /** The present epoch, from 1. */
  readonly epoch: number;
  /** The steps of the present epoch that are done. */
  readonly stepInEpoch: number;
  /** Steps that are done, of all epochs. */
  readonly step: number;
  /** The sum of the losses of the present epoch's images. */
  readonly lossSum: number;
  /** The number of these images. */
  readonly imageSum: number;
  /** The sum of the gradients' norms over the present epoch's steps. */
  readonly normSum: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** The figures of the finished epochs. */
  readonly records: readonly FinetuneRecord[];
  /** The best result on held-out images, if there is one yet, and its epoch. */
  readonly best?: { readonly epoch: number; readonly validation: HeldOutValidation } | undefined;
}

/** A training that can go on: what `--resume` reads. */
export interface FinetuneState {
  /** Where the training is. */
  readonly progress: FinetuneProgress;
  /** Parameters, the optimizer's averages and the best parameters, under `vector.name`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The tensor that holds the progress as JSON. */
const PROGRESS = "progress";
const VECTORS: readonly VectorName[] = ["parameters", "exp_avg", "exp_avg_sq", "average"];

/** The vectors of an engine that a training goes on with. */
function vectorsOf(keepsAverage: boolean): readonly VectorName[] {
  return VECTORS.filter((vector) => vector !== "average" || keepsAverage);
}

/** Copies the state of a training. */
export function readState(
  engine: TrainingEngine,
  keepsAverage: boolean,
  best: ReadonlyMap<string, Tensor> | undefined,
  progress: FinetuneProgress,
): FinetuneState {
  const tensors = new Map<string, Tensor>();
  for (const vector of vectorsOf(keepsAverage)) {
    for (const name of engine.parameters.names) {
      tensors.set(`${vector}.${name}`, engine.read(vector, name));
    }
  }
  for (const [name, tensor] of best ?? []) tensors.set(`best.${name}`, tensor);
  return { progress, tensors };
}

/**
 * Puts a state back into an engine.
 *
 * @returns the best parameters, if the state has some.
 * @throws {TypeError} if a tensor is missing or has another size.
 */
export async function restoreState(
  engine: TrainingEngine,
  keepsAverage: boolean,
  { tensors }: FinetuneState,
): Promise<Map<string, Tensor<"float32">> | undefined> {
  const best = new Map<string, Tensor<"float32">>();
  const { names } = engine.parameters;
  for (const vector of [...vectorsOf(keepsAverage), "best"] as const) {
    for (const name of names) {
      const tensor = tensors.get(`${vector}.${name}`);
      if (!tensor && vector === "best") continue;
      const { size } = engine.parameters.get(name)!;
      if (tensor?.dtype !== "float32" || tensor.data.length !== size) {
        throw new TypeError(`Cannot resume: ${vector}.${name} is missing or has another size`);
      }
      if (vector === "best") best.set(name, tensor as Tensor<"float32">);
      else engine.write(vector, name, tensor.data as Float32Array);
    }
  }
  await engine.refresh();
  return best.size === names.length ? best : undefined;
}

/**
 * The tensors of a state as a file holds them.
 *
 * @example
 * ```ts
 * import { writeSafetensors } from "../../checkpoint/safetensors.ts";
 * import { type FinetuneState, finetuneStateToTensors } from "./training_state.ts";
 *
 * const toFile = (state: FinetuneState) => writeSafetensors(finetuneStateToTensors(state));
 * console.log(typeof toFile);
 * ```
 */
export function finetuneStateToTensors({ progress, tensors }: FinetuneState): Map<string, Tensor> {
  const data = new TextEncoder().encode(JSON.stringify(progress));
  return new Map([[PROGRESS, { dtype: "uint8", shape: [data.length], data }], ...tensors]);
}

/**
 * The state that a file's tensors hold.
 *
 * @throws {TypeError} if they are no state of a training.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { finetuneStateOfTensors } from "./training_state.ts";
 *
 * // Of a file that finetuneStateToTensors wrote; anything else is refused.
 * assertThrows(() => finetuneStateOfTensors(new Map()), TypeError, "no state of a training");
 * ```
 */
export function finetuneStateOfTensors(tensors: ReadonlyMap<string, Tensor>): FinetuneState {
  const { dtype, data } = tensors.get(PROGRESS) ?? {};
  if (dtype !== "uint8") throw new TypeError("Cannot resume: it is no state of a training");
  let progress: FinetuneProgress;
  try {
    progress = JSON.parse(new TextDecoder().decode(data as Uint8Array));
  } catch {
    throw new TypeError("Cannot resume: its progress is not JSON");
  }
  const { fingerprint, tune, epoch, stepInEpoch, step, records, ...sums } = progress ?? {};
  const isWhole = typeof fingerprint === "string" && Array.isArray(records) &&
    ["all", "last", "lora"].includes(tune?.kind) &&
    [epoch - 1, stepInEpoch, step].every((n) => Number.isSafeInteger(n) && n >= 0) &&
    [sums.lossSum, sums.imageSum, sums.normSum, sums.seconds].every(Number.isFinite);
  if (!isWhole) throw new TypeError("Cannot resume: its progress is incomplete");
  return { progress, tensors };
}
