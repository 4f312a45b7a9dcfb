import { Arena, sharedMemory } from "../../runtime/simd/arena.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { ViTMSNWeights } from "../../vit_msn/weights.ts";
import { adaptedWeights, learningShapes, lowestBlock } from "../tune.ts";
import type { EngineOptions } from "./engine_options.ts";
import { instantiateTrain } from "./kernels.ts";
import { dealBySize, putModel } from "./model_memory.ts";
import { Optimizer } from "./optimizer.ts";
import { Parameters } from "./parameters.ts";
import {
  type BatchMemory,
  chunkOf,
  type Geometry,
  logitBytes,
  makePlans,
  patchCount,
  stateBytes,
} from "./plan.ts";
import { InterpolatedPositions, POSITIONS } from "./positions.ts";
import { Tile } from "./structs.ts";
import { ParameterVectors } from "./vectors.ts";

/** An adapter in memory: pointers. */
export interface Adapter {
  readonly weight: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly frozen: number;
  readonly merged: number;
}

/** Lays out the memory: the model, the vectors of parameters, the batch, and the threads' plans. */
export function layOut(
  config: ViTMSNConfig,
  weights: ViTMSNWeights,
  options: EngineOptions,
  module: WebAssembly.Module,
) {
  const { tune, batchSize, threads = 1, masks = false, keepsAverage = false } = options;
  const memory = sharedMemory();
  const kernels = instantiateTrain(module, memory);
  const arena = new Arena(memory, kernels.freeMemory());
  const { hiddenSize: D, numHiddenLayers: L } = config;
  const imageSize = options.imageSize ?? config.imageSize;
  const N = patchCount(config, { imageSize, tokens: 0 });
  const geometry: Geometry = { imageSize, tokens: 1 + (options.keptPatches ?? N) };
  const whole: Geometry = { imageSize, tokens: 1 + N };
  const isInterpolated = InterpolatedPositions.areNeeded(config, imageSize);
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
  const vectors = new ParameterVectors(arena, parameters, extra, { threads, keepsAverage });
  vectors.fill("parameters", weights);

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
  const model = putModel(arena, kernels, config, weights, {
    lowest,
    changing: (name) => merged.get(name) ?? vectors.find("parameters", name),
  });
  const positions = isInterpolated
    ? new InterpolatedPositions(arena, config, imageSize)
    : undefined;
  positions?.refresh(toFloat32(weights.get(POSITIONS)!));

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
    dOutput: 0,
    logits: labels > 0 ? arena.reserve(rows * logitBytes(labels)) : 0,
    dLogits: labels > 0 ? arena.reserve(rows * logitBytes(labels)) : 0,
  };
  const progress = Array.from({ length: threads }, () => arena.reserve(4));
  const plansOf = (geometry: Geometry, first: number, isForwardOnly: boolean) =>
    progress.map((place, thread) =>
      makePlans(arena, {
        progress: place,
        config,
        geometry,
        model,
        batch,
        chunk: chunkOf(batchSize, threads, geometry),
        labels,
        first,
        lowest,
        learnsEmbeddings: tune.kind === "all",
        isForwardOnly,
        positions: positions?.place ?? model.vectors.get(POSITIONS)!,
        gradients: vectors.at("gradients") + thread * vectors.gradientStride,
        gradientBytes: vectors.gradientBytes,
        gradientOf: (name) => vectors.gradientOf(name, thread),
      })[0]!
    );
  const plans = plansOf(geometry, first, false);
  const isSame = first === 0 && geometry.tokens === whole.tokens;
  return {
    arena,
    vectors,
    optimizer: new Optimizer(arena, vectors),
    plans,
    forwardPlans: isSame ? plans : plansOf(whole, 0, true),
    geometry,
    labels,
    adapters,
    positions,
    memory: { ...batch, positive: arena.reserve(4 * Math.max(1, labels)) },
    repackCalls: dealBySize(model.repackCalls, threads),
    progress,
  };
}
