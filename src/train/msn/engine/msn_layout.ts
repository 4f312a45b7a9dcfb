import { Arena, sharedMemory } from "../../../runtime/simd/arena.ts";
import { writeFields } from "../../../runtime/simd/write_struct.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../../vit_msn/config.ts";
import { MASK_TOKEN } from "../../../vit_msn/weights.ts";
import { instantiateTrain } from "../../engine/kernels.ts";
import { dealBySize, putModel } from "../../engine/model_memory.ts";
import { Optimizer } from "../../engine/optimizer.ts";
import { Parameters } from "../../engine/parameters.ts";
import { keptBytes, patchCount, putGradientScratch, stateBytes } from "../../engine/plan.ts";
import { InterpolatedPositions } from "../../engine/positions.ts";
import { STRUCTS, Tile } from "../../engine/structs.ts";
import { ParameterVectors, type VectorName } from "../../engine/vectors.ts";
import type { MsnEngineOptions } from "./msn_engine_options.ts";
import { type MsnNetwork, PROTOTYPES } from "./msn_network.ts";
import {
  HEAD,
  type HeadShape,
  headShapes,
  ProjectionHead,
  type RowGroup,
} from "./projection_head.ts";
import { Prototypes } from "./prototypes.ts";
import type { ThreadScratch } from "./rounds.ts";
import { positionsKey, ViewGroup } from "./view_group.ts";

/**
 * The most that is kept of a batch's forward for its backward, which saves the time to compute it again: a quarter
 * of the anchors'.
 */
const MAX_KEPT_BYTES = 2 ** 30;

/** Lays out the memory: both networks, the vectors of parameters, the views, and the threads' plans. */
export function layOut(
  config: ViTMSNConfig,
  network: MsnNetwork,
  prototypes: Tensor,
  options: MsnEngineOptions,
  module: WebAssembly.Module,
) {
  const { batchSize: B, randomSize, usesBatchNorm, threads = 1 } = options;
  const memory = sharedMemory();
  const kernels = instantiateTrain(module, memory);
  const arena = new Arena(memory, kernels.freeMemory());
  const { hiddenSize: D, numHiddenLayers: L } = config;
  const encoder = new Map([...network.encoder].filter(([name]) => !name.startsWith("classifier.")));
  const [K, output] = prototypes.shape as [number, number];
  const hidden = network.head.get("fc1.weight")!.shape[0]!;
  const shape: HeadShape = { input: D, hidden, output, usesBatchNorm };

  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of encoder) if (name !== MASK_TOKEN) shapes.set(name, shape);
  for (const [name, size] of headShapes(shape)) shapes.set(HEAD + name, size);
  shapes.set(PROTOTYPES, [K, output]);
  const parameters = new Parameters(shapes);
  const N = (imageSize: readonly [number, number]) => patchCount(config, { imageSize, tokens: 0 });
  const sizes = sizesOf(options, N(options.focalSize));
  const extraShapes = new Map(
    sizes.filter(({ imageSize }) => InterpolatedPositions.areNeeded(config, imageSize))
      .map(({ imageSize }) => [positionsKey(imageSize), [1, 1 + N(imageSize), D]] as const),
  );
  const extra = new Parameters(extraShapes, parameters.size);
  const vectors = new ParameterVectors(arena, parameters, extra, { threads, keepsAverage: true });
  const optimizer = new Optimizer(arena, vectors);

  const modelOf = (vector: VectorName, lowest: number) =>
    putModel(arena, kernels, config, encoder, {
      lowest,
      changing: (name) => vectors.find(vector, name),
    });
  const online = modelOf("parameters", 0);
  const average = modelOf("average", L);

  const n = sizes.reduce((sum, { views }) => sum + views * B, 0);
  const stateStride = stateBytes(config);
  const states = (rows: number) => arena.reserve((rows + Tile.ROWS_PAST) * stateStride);
  const cls = { target: states(B), anchors: states(n), dAnchors: states(n) };
  const progress = Array.from({ length: threads }, () => arena.reserve(4));
  const isKept = MAX_KEPT_BYTES >= sizes.reduce(
    (sum, { imageSize, views, kept }) =>
      sum + views * B * keptBytes(config, { imageSize, tokens: 1 + kept }),
    0,
  );
  const target = new ViewGroup(arena, config, vectors, {
    name: "target",
    geometry: { imageSize: randomSize, tokens: 1 + N(randomSize) },
    images: B,
    model: average,
    learns: false,
    isKept: false,
    output: cls.target,
    dOutput: 0,
    progress,
  });
  const rowGroups: RowGroup[] = [];
  const anchors = sizes.map(({ name, imageSize, views, kept }) => {
    const start = rowGroups.reduce((sum, { rows }) => sum + rows, 0);
    rowGroups.push({ start, rows: views * B });
    return new ViewGroup(arena, config, vectors, {
      name,
      geometry: { imageSize, tokens: 1 + kept },
      images: views * B,
      model: online,
      learns: true,
      isKept,
      output: cls.anchors + start * stateStride,
      dOutput: cls.dAnchors + start * stateStride,
      progress,
    });
  });

  const widest = Math.max(D, hidden, output);
  const tileRows = Tile.STRIP_ROWS + Tile.ROWS_PAST;
  const scratch = progress.map((place): ThreadScratch => {
    const forward = arena.reserve(STRUCTS.Scratch.bytes);
    writeFields(arena, STRUCTS.Scratch, forward, {
      tile: arena.reserve(4 * Tile.PANEL * tileRows),
      progress: place,
    });
    return { forward, backward: putGradientScratch(arena, widest, n, place) };
  });
  const head = new ProjectionHead(arena, shape, vectors, "parameters", rowGroups, scratch);
  const targetRows = [{ start: 0, rows: B }];
  const targetHead = new ProjectionHead(arena, shape, vectors, "average", targetRows, scratch);
  const heads = { online: head, target: targetHead };
  const prototypeMemory = new Prototypes(arena, vectors, heads, scratch);
  const repackCalls = dealBySize([
    ...online.repackCalls,
    ...average.repackCalls,
    ...head.repackCalls,
    ...targetHead.repackCalls,
  ], threads);
  repackCalls[threads - 1]!.push(...prototypeMemory.refreshCalls);
  return {
    arena,
    vectors,
    optimizer,
    target,
    anchors,
    head,
    targetHead,
    cls,
    prototypes: prototypeMemory,
    repackCalls,
    progress,
  };
}

/** The sizes of anchor views: one, if random and focal views have the same, which then go together. */
function sizesOf(
  { randomViews, focalViews, randomSize, focalSize, keptPatches }: MsnEngineOptions,
  focalPatches: number,
) {
  const random = { name: "random", imageSize: randomSize, views: randomViews, kept: keptPatches };
  if (focalViews === 0) return [random];
  if (randomSize.join() === focalSize.join()) {
    return [{ ...random, name: "random and focal", views: randomViews + focalViews }];
  }
  const focal = { name: "focal", imageSize: focalSize, views: focalViews, kept: focalPatches };
  return [random, focal];
}
