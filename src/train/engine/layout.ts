import { aligned, Arena, sharedMemory } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import { interpolatePositions } from "../../vit_msn/interpolate_positions.ts";
import type { Weights } from "../../vit_msn/weights.ts";
import { adaptedWeights, learningShapes, lowestBlock } from "../tune.ts";
import type { EngineOptions } from "./engine_options.ts";
import { type Call, instantiateTrain } from "./kernels.ts";
import { Parameters } from "./parameters.ts";
import {
  type BatchMemory,
  type Geometry,
  logitBytes,
  makePlan,
  padded,
  patchCount,
  type SharedLinear,
  stateBytes,
} from "./plan.ts";
import { STRUCTS, Tile } from "./structs.ts";

/** Rows that a chunk of images has at least, if the batch has as many. */
const CHUNK_ROWS = 256;

/** An adapter in memory: pointers. */
export interface Adapter {
  readonly weight: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly frozen: number;
  readonly merged: number;
}

/** The name of the position embeddings. */
export const POSITIONS = "embeddings.position_embeddings";

/** The position embeddings for the size of the images. */
export function interpolatedPositions(
  config: ViTMSNConfig,
  { imageSize }: Geometry,
  positions: Tensor<"float32">,
): Tensor<"float32"> {
  const { patchSize } = config;
  return interpolatePositions(positions, patchGrid(config), patchGrid({ imageSize, patchSize }));
}

/** Lays out the memory: the model, the vectors of parameters, the batch, and the threads' plans. */
export function layOut(
  config: ViTMSNConfig,
  weights: Weights,
  options: EngineOptions,
  module: WebAssembly.Module,
) {
  const { tune, batchSize, threads = 1, masks = false } = options;
  const memory = sharedMemory();
  const kernels = instantiateTrain(module, memory);
  const arena = new Arena(memory, kernels.freeMemory());
  const { hiddenSize: D, numHiddenLayers: L } = config;
  const imageSize = options.imageSize ?? config.imageSize;
  const N = patchCount(config, { imageSize, tokens: 0 });
  const geometry: Geometry = { imageSize, tokens: 1 + (options.keptPatches ?? N) };
  const whole: Geometry = { imageSize, tokens: 1 + N };
  const isInterpolated = imageSize.join() !== config.imageSize.join();
  const labels = weights.get("classifier.weight")?.shape[0] ?? 0;
  const lowest = lowestBlock(tune, config);
  const first = options.fromInputs ? lowest : 0;

  const parameters = new Parameters(learningShapes(weights, config, tune, { masks }));
  const extraShapes = new Map<string, readonly number[]>();
  if (tune.kind === "lora") {
    for (const name of adaptedWeights(config)) extraShapes.set(name, weights.get(name)!.shape);
  }
  if (isInterpolated && parameters.get(POSITIONS)) extraShapes.set(POSITIONS, [1, 1 + N, D]);
  const extra = new Parameters(extraShapes, parameters.size);
  const gradientNumbers = parameters.size + extra.size;
  const gradientStride = aligned(4 * gradientNumbers);
  const vector = () => arena.reserve(4 * parameters.size);
  const vectors = {
    parameters: vector(),
    exp_avg: vector(),
    exp_avg_sq: vector(),
    average: options.keepsAverage ? vector() : 0,
    gradients: arena.reserve(threads * gradientStride),
  };
  const learnt = (name: string) => {
    const place = parameters.get(name);
    return place && vectors.parameters + 4 * place.start;
  };
  for (const name of parameters.names) {
    const tensor = weights.get(name);
    if (tensor) arena.floats(learnt(name)!, tensor.data.length).set(toFloat32(tensor).data);
  }

  const adapters: Adapter[] = [];
  if (tune.kind === "lora") {
    for (const name of adaptedWeights(config)) {
      const tensor = toFloat32(weights.get(name)!);
      const [outputs, inputs] = tensor.shape as [number, number];
      const frozen = arena.put(tensor.data);
      adapters.push({ weight: name, outputs, inputs, frozen, merged: arena.put(tensor.data) });
    }
  }
  const merged = new Map(adapters.map(({ weight, merged }) => [weight, merged]));

  const linears = new Map<string, SharedLinear>();
  const repackCalls: { bytes: number; call: Call }[] = [];
  const staging = arena.reserve(stagingBytes(weights, parameters));
  const makeLinear = (name: string, needsBackward: boolean) => {
    const weight = weights.get(`${name}.weight`)!;
    const outputs = weight.shape[0]!;
    const inputs = weight.data.length / outputs;
    const linear = {
      name,
      inputs,
      outputs,
      forward: arena.reserve(4 * padded(outputs) * inputs),
      backward: needsBackward ? arena.reserve(4 * padded(inputs) * outputs) : 0,
      bias: arena.reserve(4 * padded(outputs)),
    };
    linears.set(name, linear);
    const struct = arena.reserve(STRUCTS.TrainedLinear.bytes);
    writeFields(arena, STRUCTS.TrainedLinear, struct, linear as Partial<SharedLinear> as never);
    const own = merged.get(`${name}.weight`) ?? learnt(`${name}.weight`);
    const bias = weights.get(`${name}.bias`);
    if (bias) arena.floats(linear.bias, outputs).set(toFloat32(bias).data);
    if (own !== undefined) {
      const call = ["repack", struct, own, learnt(`${name}.bias`) ?? 0] as const;
      repackCalls.push({ bytes: weight.data.length, call });
    } else {
      arena.floats(staging, weight.data.length).set(toFloat32(weight).data);
      kernels.repack(struct, staging, 0);
    }
  };
  for (let i = 0; i < L; i++) {
    const layer = `encoder.layer.${i}`;
    const goesBelow = i >= lowest;
    const attention = `${layer}.attention.attention`;
    for (const role of ["query", "key", "value"]) makeLinear(`${attention}.${role}`, goesBelow);
    makeLinear(`${layer}.attention.output.dense`, goesBelow);
    makeLinear(`${layer}.intermediate.dense`, goesBelow);
    makeLinear(`${layer}.output.dense`, goesBelow);
  }
  makeLinear("embeddings.patch_embeddings.projection", false);
  if (labels > 0) makeLinear("classifier", true);

  const pointers = new Map<string, number>();
  for (const [name, tensor] of weights) {
    if (linears.has(name.replace(/\.(weight|bias)$/, ""))) continue;
    pointers.set(name, learnt(name) ?? arena.put(toFloat32(tensor).data));
  }
  let positions = 0;
  if (isInterpolated) {
    const { data } = interpolatedPositions(config, geometry, toFloat32(weights.get(POSITIONS)!));
    positions = arena.put(data);
  }

  const [height, width] = imageSize;
  const rows = batchSize + Tile.ROWS_PAST;
  const batch: BatchMemory = {
    pixels: arena.reserve(4 * batchSize * config.numChannels * height * width),
    inputs: lowest > 0 ? arena.reserve(4 * batchSize * whole.tokens * D) : 0,
    patches: arena.reserve(4 * batchSize * N),
    mask: masks ? arena.reserve(batchSize * N) : 0,
    targets: arena.reserve(4 * batchSize * Math.max(1, labels)),
    branchScale: arena.reserve(4 * L * 2 * batchSize),
    output: arena.reserve(rows * stateBytes(config)),
    logits: labels > 0 ? arena.reserve(rows * logitBytes(labels)) : 0,
    dLogits: labels > 0 ? arena.reserve(rows * logitBytes(labels)) : 0,
  };
  const progress = Array.from({ length: threads }, () => arena.reserve(4));
  const plansOf = (geometry: Geometry, first: number, isForwardOnly: boolean) =>
    Array.from({ length: threads }, (_, thread) => {
      const gradients = vectors.gradients + thread * gradientStride;
      return makePlan(arena, {
        progress: progress[thread]!,
        config,
        geometry,
        model: { linears, vectors: pointers },
        batch,
        chunk: Math.min(
          Math.ceil(batchSize / threads),
          Math.max(1, Math.round(CHUNK_ROWS / geometry.tokens)),
        ),
        labels,
        first,
        lowest,
        learnsEmbeddings: tune.kind === "all",
        isForwardOnly,
        positions: positions || pointers.get(POSITIONS)!,
        gradients,
        gradientBytes: 4 * gradientNumbers,
        gradientOf: (name) => {
          const place = extra.get(name) ?? parameters.get(name);
          return place ? gradients + 4 * place.start : 0;
        },
      });
    });
  const plans = plansOf(geometry, first, false);
  const isSame = first === 0 && geometry.tokens === whole.tokens;
  return {
    arena,
    parameters,
    extra,
    vectors,
    gradientStride,
    plans,
    forwardPlans: isSame ? plans : plansOf(whole, 0, true),
    geometry,
    labels,
    adapters,
    memory: { ...batch, positive: arena.reserve(4 * Math.max(1, labels)), positions },
    settings: arena.reserve(STRUCTS.AdamW.bytes),
    repackCalls: dealBySize(repackCalls, threads),
    progress,
  };
}

/** Bytes of the largest matrix that does not learn. */
function stagingBytes(weights: Weights, parameters: Parameters): number {
  let largest = 0;
  for (const [name, { data }] of weights) {
    if (!parameters.get(name)) largest = Math.max(largest, 4 * data.length);
  }
  return largest;
}

/** Deals calls out so that all threads have about as much to do. */
function dealBySize(calls: readonly { bytes: number; call: Call }[], threads: number): Call[][] {
  const lists = Array.from({ length: threads }, () => ({ bytes: 0, calls: [] as Call[] }));
  for (const { bytes, call } of calls.toSorted((a, b) => b.bytes - a.bytes)) {
    const least = lists.reduce((a, b) => b.bytes < a.bytes ? b : a);
    least.bytes += bytes;
    least.calls.push(call);
  }
  return lists.map(({ calls }) => calls);
}
