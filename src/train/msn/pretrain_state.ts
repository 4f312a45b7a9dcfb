import type { Tensor } from "../../tensor/tensor.ts";
import type { MsnEngine } from "./engine/msn_engine.ts";
import type { PretrainRecord } from "./pretrain_events.ts";
import type { PrototypeUsageState } from "./monitor/prototype_usage.ts";

/** Sums over the steps since the last record. */
export interface StepSums {
  /** The number of steps. */
  readonly steps: number;
  /** Of their losses. */
  readonly loss: number;
  /** Of the losses' cross-entropies. */
  readonly crossEntropy: number;
  /** Of log K minus the entropies of mean probabilities. */
  readonly meMax: number;
  /** Of the anchors' mean entropies, in nats. */
  readonly entropy: number;
  /** Of the norms of gradients. */
  readonly norm: number;
  /** Seconds that these steps took. */
  readonly seconds: number;
}

/** Where a pre-training is, beside its tensors. */
export interface PretrainProgress {
  /** Settings, images, start, seed and threads: those of a resumed training must be the same. */
  readonly fingerprint: string;
  /** Steps that are done. */
  readonly step: number;
  /** The figures of the next record so far. */
  readonly sums: StepSums;
  /** How targets have used the prototypes since the last record. */
  readonly usage: PrototypeUsageState;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** The records so far. */
  readonly records: readonly PretrainRecord[];
}

/** A pre-training that can go on: what `--resume` reads. */
export interface PretrainState {
  /** Where the pre-training is. */
  readonly progress: PretrainProgress;
  /** Parameters, AdamW's averages, the target and running statistics, under `vector.name`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** The tensor that holds the progress as JSON. */
const PROGRESS = "msn_progress";
const VECTORS = ["parameters", "exp_avg", "exp_avg_sq", "average"] as const;
const BUFFERS = "buffers";

/** Copies the state of a pre-training. */
export function readPretrainState(engine: MsnEngine, progress: PretrainProgress): PretrainState {
  const tensors = new Map<string, Tensor>();
  for (const vector of VECTORS) {
    for (const name of engine.parameters.names) {
      tensors.set(`${vector}.${name}`, engine.read(vector, name));
    }
  }
  for (const [name, data] of engine.buffers()) {
    const copy = data.slice();
    tensors.set(`${BUFFERS}.${name}`, { dtype: "float32", shape: [copy.length], data: copy });
  }
  return { progress, tensors };
}

/**
 * Puts a state back into an engine.
 *
 * @throws {TypeError} if a tensor is missing or has another size.
 */
export async function restorePretrainState(
  engine: MsnEngine,
  { tensors }: PretrainState,
): Promise<void> {
  const find = (name: string, size: number): Float32Array => {
    const tensor = tensors.get(name);
    if (tensor?.dtype !== "float32" || tensor.data.length !== size) {
      throw new TypeError(`Cannot resume: ${name} is missing or has another size`);
    }
    return tensor.data as Float32Array;
  };
  for (const vector of VECTORS) {
    for (const name of engine.parameters.names) {
      const { size } = engine.parameters.get(name)!;
      engine.write(vector, name, find(`${vector}.${name}`, size));
    }
  }
  for (const [name, data] of engine.buffers()) data.set(find(`${BUFFERS}.${name}`, data.length));
  await engine.refresh();
}

/**
 * The tensors of a state as a file holds them.
 *
 * @example
 * ```ts
 * import { writeSafetensors } from "../../checkpoint/safetensors.ts";
 * import { type PretrainState, pretrainStateToTensors } from "./pretrain_state.ts";
 *
 * const toFile = (state: PretrainState) => writeSafetensors(pretrainStateToTensors(state));
 * console.log(typeof toFile);
 * ```
 */
export function pretrainStateToTensors({ progress, tensors }: PretrainState): Map<string, Tensor> {
  const data = new TextEncoder().encode(JSON.stringify(progress));
  return new Map([[PROGRESS, { dtype: "uint8", shape: [data.length], data }], ...tensors]);
}

/**
 * The state that a file's tensors hold.
 *
 * @throws {TypeError} if they are no state of a pre-training.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { pretrainStateOfTensors } from "./pretrain_state.ts";
 *
 * // Of a file that pretrainStateToTensors wrote; anything else is refused.
 * assertThrows(() => pretrainStateOfTensors(new Map()), TypeError, "no state of a pre-training");
 * ```
 */
export function pretrainStateOfTensors(tensors: ReadonlyMap<string, Tensor>): PretrainState {
  const { dtype, data } = tensors.get(PROGRESS) ?? {};
  if (dtype !== "uint8") throw new TypeError("Cannot resume: it is no state of a pre-training");
  let progress: PretrainProgress;
  try {
    // JSON has null for a figure that is not finite.
    progress = JSON.parse(
      new TextDecoder().decode(data as Uint8Array),
      (_, value) => value === null ? NaN : value,
    );
  } catch {
    throw new TypeError("Cannot resume: its progress is not JSON");
  }
  const { fingerprint, step, sums, usage, seconds, records } = progress ?? {};
  const isWhole = typeof fingerprint === "string" && Number.isSafeInteger(step) && step >= 0 &&
    Number.isFinite(seconds) && Array.isArray(records) && typeof usage === "object" &&
    records.every((record) => typeof record === "object") &&
    Object.values(sums ?? {}).length === 7 && Object.values(sums).every(Number.isFinite);
  if (!isWhole) throw new TypeError("Cannot resume: its progress is incomplete");
  return { progress, tensors };
}
