import type { Arena } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { ViTMSNWeights } from "../../vit_msn/weights.ts";
import type { Call, TrainKernels } from "./kernels.ts";
import { padded, type SharedLinear, type SharedModel } from "./plan.ts";
import { STRUCTS } from "./structs.ts";

/** A model in memory, and the calls that pack the layers that change from step to step. */
export interface ModelMemory extends SharedModel {
  readonly repackCalls: readonly RepackCall[];
}

/** The packing of a layer, and how many bytes it moves. */
export interface RepackCall {
  readonly bytes: number;
  readonly call: Call;
}

/** Which parts of a model change. */
export interface ModelMemoryOptions {
  /** The lowest block that gradients reach; the number of blocks if they reach none. */
  readonly lowest: number;
  /** The pointer of a tensor that changes from step to step; `undefined` for one that stays. */
  changing(name: string): number | undefined;
}

/** Puts a model into memory: packed layers, and pointers of all other tensors. */
export function putModel(
  arena: Arena,
  kernels: TrainKernels,
  { numHiddenLayers: L }: ViTMSNConfig,
  weights: ViTMSNWeights,
  { lowest, changing }: ModelMemoryOptions,
): ModelMemory {
  const linears = new Map<string, SharedLinear>();
  const repackCalls: RepackCall[] = [];
  const staging = arena.reserve(stagingBytes(weights, changing));
  const put = (name: string, needsBackward: boolean) => {
    const weight = weights.get(`${name}.weight`)!;
    const outputs = weight.shape[0]!;
    const { linear, struct } = putLinear(arena, name, outputs, weight.data.length / outputs, {
      needsBackward,
    });
    linears.set(name, linear);
    const bias = weights.get(`${name}.bias`);
    if (bias) arena.floats(linear.bias, outputs).set(toFloat32(bias).data);
    const own = changing(`${name}.weight`);
    if (own !== undefined) {
      const call = ["repack", struct, own, changing(`${name}.bias`) ?? 0] as const;
      repackCalls.push({ bytes: 4 * weight.data.length, call });
    } else {
      arena.floats(staging, weight.data.length).set(toFloat32(weight).data);
      kernels.repack(struct, staging, 0);
    }
  };
  for (let i = 0; i < L; i++) {
    const layer = `encoder.layer.${i}`;
    const attention = `${layer}.attention.attention`;
    for (const role of ["query", "key", "value"]) put(`${attention}.${role}`, i >= lowest);
    put(`${layer}.attention.output.dense`, i >= lowest);
    put(`${layer}.intermediate.dense`, i >= lowest);
    put(`${layer}.output.dense`, i >= lowest);
  }
  put("embeddings.patch_embeddings.projection", false);
  if (weights.has("classifier.weight")) put("classifier", true);
  const vectors = new Map<string, number>();
  for (const [name, tensor] of weights) {
    if (linears.has(name.replace(/\.(weight|bias)$/, ""))) continue;
    vectors.set(name, changing(name) ?? arena.put(toFloat32(tensor).data));
  }
  return { linears, vectors, repackCalls };
}

/** Reserves a layer's packed parameters; its struct, for packing, has no gradients. */
export function putLinear(
  arena: Arena,
  name: string,
  outputs: number,
  inputs: number,
  { needsBackward }: { readonly needsBackward: boolean },
): { linear: SharedLinear; struct: number } {
  const linear = {
    name,
    inputs,
    outputs,
    forward: arena.reserve(4 * padded(outputs) * inputs),
    backward: needsBackward ? arena.reserve(4 * padded(inputs) * outputs) : 0,
    bias: arena.reserve(4 * padded(outputs)),
  };
  const struct = arena.reserve(STRUCTS.TrainedLinear.bytes);
  const { name: _, ...fields } = linear;
  writeFields(arena, STRUCTS.TrainedLinear, struct, fields);
  return { linear, struct };
}

/** Deals packing out so that all threads have about as much to do. */
export function dealBySize(calls: readonly RepackCall[], threads: number): Call[][] {
  const lists = Array.from({ length: threads }, () => ({ bytes: 0, calls: [] as Call[] }));
  for (const { bytes, call } of calls.toSorted((a, b) => b.bytes - a.bytes)) {
    const least = lists.reduce((a, b) => b.bytes < a.bytes ? b : a);
    least.bytes += bytes;
    least.calls.push(call);
  }
  return lists.map(({ calls }) => calls);
}

/** Bytes of the largest matrix that stays as it is. */
function stagingBytes(
  weights: ViTMSNWeights,
  changing: (name: string) => number | undefined,
): number {
  let largest = 0;
  for (const [name, { data }] of weights) {
    if (changing(name) === undefined) largest = Math.max(largest, 4 * data.length);
  }
  return largest;
}
