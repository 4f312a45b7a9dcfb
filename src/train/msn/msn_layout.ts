import { Arena, sharedMemory } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { MASK_TOKEN } from "../../vit_msn/weights.ts";
import { instantiateTrain } from "../engine/kernels.ts";
import { dealBySize, type ModelMemory, putLinear, putModel } from "../engine/model_memory.ts";
import { Optimizer } from "../engine/optimizer.ts";
import { Parameters } from "../engine/parameters.ts";
import {
  type BatchMemory,
  chunkOf,
  type Geometry,
  keptBytes,
  makePlans,
  patchCount,
  putGradientScratch,
  rowBytes,
  stateBytes,
} from "../engine/plan.ts";
import { InterpolatedPositions, POSITIONS } from "../engine/positions.ts";
import { STRUCTS, Tile } from "../engine/structs.ts";
import { ParameterVectors, type VectorName } from "../engine/vectors.ts";
import type { MsnEngineOptions } from "./msn_engine_options.ts";
import { type MsnNetwork, PROTOTYPES } from "./msn_network.ts";
import { HEAD, type HeadShape, headShapes, ProjectionHead } from "./projection_head.ts";

/** Views of one size, which go through a network together. */
export interface ViewGroup {
  /** Each thread's plans: one, or one for each chunk, which then is kept for the backward. */
  readonly plans: readonly (readonly number[])[];
  /** The most images of a chunk. */
  readonly chunk: number;
  readonly isKept: boolean;
  readonly pixels: number;
  readonly patches: number;
  readonly branchScale: number;
  readonly images: number;
  /** Patches of an image that go on, and pixel values of an image. */
  readonly kept: number;
  readonly patchCount: number;
  readonly size: number;
  /** The key of the gradient of its interpolated positions, if it has some. */
  readonly positions: { readonly key: string; readonly table: InterpolatedPositions } | undefined;
}

/** Rows of projections against the prototypes: pointers. */
export interface SimilarityRows {
  readonly count: number;
  /** ẑ, f32 [count][output]; and 1 / ‖z‖. */
  readonly directions: number;
  readonly scales: number;
  /** f32 [count][K] */
  readonly similarities: number;
}

/** The prototypes in memory: pointers. */
export interface PrototypeMemory {
  /** K and the width of a prototype. */
  readonly count: number;
  readonly outputs: number;
  /** The layer ẑ ĉᵀ; ĉ, f32 [K][output], 1 / ‖c‖ and the gradient of ĉ. */
  readonly layer: number;
  readonly directions: number;
  readonly scales: number;
  readonly gradient: number;
  readonly loss: number;
  readonly results: number;
  readonly rows: { readonly anchors: SimilarityRows; readonly target: SimilarityRows };
  readonly dSimilarities: number;
  /** f32 [B][K]: the targets before they are sharpened. */
  readonly unsharpened: number;
  /** Bytes of a row of similarities. */
  readonly stride: number;
}

/**
 * The most that is kept of a batch's forward for its backward, which saves the time to compute it again: a quarter
 * of the anchors'.
 */
const MAX_KEPT_BYTES = 2 ** 30;

/** Lays out the memory: both networks, the vectors of parameters, the views, and the threads' plans. */
export function layOut(
  config: ViTMSNConfig,
  { encoder: allWeights, head: headWeights }: MsnNetwork,
  prototypes: Tensor,
  options: MsnEngineOptions,
  module: WebAssembly.Module,
) {
  const { batchSize: B, randomViews, focalViews, randomSize, focalSize, keptPatches } = options;
  const { usesBatchNorm, threads = 1 } = options;
  const memory = sharedMemory();
  const kernels = instantiateTrain(module, memory);
  const arena = new Arena(memory, kernels.freeMemory());
  const { hiddenSize: D, numHiddenLayers: L, numChannels: C } = config;
  const encoder = new Map([...allWeights].filter(([name]) => !name.startsWith("classifier.")));
  const [K, output] = prototypes.shape as [number, number];
  const hidden = headWeights.get("fc1.weight")!.shape[0]!;
  const shape: HeadShape = { input: D, hidden, output, usesBatchNorm };

  const shapes = new Map<string, readonly number[]>();
  for (const [name, { shape }] of encoder) if (name !== MASK_TOKEN) shapes.set(name, shape);
  for (const [name, size] of headShapes(shape)) shapes.set(HEAD + name, size);
  shapes.set(PROTOTYPES, [K, output]);
  const parameters = new Parameters(shapes);
  const N = (imageSize: readonly [number, number]) => patchCount(config, { imageSize, tokens: 0 });
  const isOneSize = randomSize.join() === focalSize.join();
  const sizes = isOneSize || focalViews === 0
    ? [{ imageSize: randomSize, views: randomViews + focalViews, kept: keptPatches }]
    : [
      { imageSize: randomSize, views: randomViews, kept: keptPatches },
      { imageSize: focalSize, views: focalViews, kept: N(focalSize) },
    ];
  const keyOf = (size: readonly number[]) => `${POSITIONS}@${size.join("x")}`;
  const extraShapes = new Map(
    sizes.filter(({ imageSize }) => InterpolatedPositions.areNeeded(config, imageSize))
      .map(({ imageSize }) => [keyOf(imageSize), [1, 1 + N(imageSize), D]] as const),
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
  const keepsForward = MAX_KEPT_BYTES >= sizes.reduce(
    (sum, { imageSize, views, kept }) =>
      sum + views * B * keptBytes(config, { imageSize, tokens: 1 + kept }),
    0,
  );
  const groupOf = (
    geometry: Geometry,
    images: number,
    model: ModelMemory,
    positions: ViewGroup["positions"],
    out: { readonly output: number; readonly dOutput: number },
  ): ViewGroup => {
    const [height, width] = geometry.imageSize;
    const size = C * height * width;
    const batch: BatchMemory = {
      pixels: arena.reserve(4 * images * size),
      inputs: 0,
      patches: arena.reserve(4 * images * N(geometry.imageSize)),
      mask: 0,
      targets: 0,
      branchScale: 0, // until a batch has some
      ...out,
      logits: 0,
      dLogits: 0,
    };
    const isForwardOnly = model === average;
    const chunk = chunkOf(images, threads, geometry);
    const isKept = keepsForward && !isForwardOnly;
    const plans = progress.map((place, thread) =>
      makePlans(arena, {
        progress: place,
        config,
        geometry,
        model,
        batch,
        chunk,
        ...(isKept ? { kept: Math.ceil(Math.ceil(images / threads) / chunk) } : {}),
        labels: 0,
        first: 0,
        lowest: 0,
        learnsEmbeddings: true,
        isForwardOnly,
        positions: positions?.table.place ?? model.vectors.get(POSITIONS)!,
        gradients: vectors.at("gradients") + thread * vectors.gradientStride,
        gradientBytes: vectors.gradientBytes,
        gradientOf: (name) =>
          isForwardOnly
            ? 0
            : vectors.gradientOf(positions && name === POSITIONS ? positions.key : name, thread),
      })
    );
    return {
      plans,
      chunk,
      isKept,
      pixels: batch.pixels,
      patches: batch.patches,
      branchScale: arena.reserve(4 * L * 2 * images),
      images,
      kept: geometry.tokens - 1,
      patchCount: N(geometry.imageSize),
      size,
      positions,
    };
  };
  const tableOf = (imageSize: readonly [number, number]) =>
    InterpolatedPositions.areNeeded(config, imageSize)
      ? { key: keyOf(imageSize), table: new InterpolatedPositions(arena, config, imageSize) }
      : undefined;
  const targetPositions = tableOf(randomSize);
  const target = groupOf(
    { imageSize: randomSize, tokens: 1 + N(randomSize) },
    B,
    average,
    targetPositions,
    { output: cls.target, dOutput: 0 },
  );
  let start = 0;
  const rowGroups: { start: number; rows: number }[] = [];
  const anchors = sizes.map(({ imageSize, views, kept }) => {
    const at = start * stateStride;
    const group = groupOf({ imageSize, tokens: 1 + kept }, views * B, online, tableOf(imageSize), {
      output: cls.anchors + at,
      dOutput: cls.dAnchors + at,
    });
    rowGroups.push({ start, rows: views * B });
    start += views * B;
    return group;
  });

  const widest = Math.max(D, hidden, output);
  const tileRows = Tile.STRIP_ROWS + Tile.ROWS_PAST;
  const scratch = progress.map((place) => {
    const forward = arena.reserve(STRUCTS.Scratch.bytes);
    writeFields(arena, STRUCTS.Scratch, forward, {
      tile: arena.reserve(2 * 4 * Tile.PANEL * tileRows),
      progress: place,
    });
    return { forward, backward: putGradientScratch(arena, widest, n, place) };
  });
  const head = new ProjectionHead(arena, shape, vectors, "parameters", rowGroups, scratch);
  const targetRows = [{ start: 0, rows: B }];
  const targetHead = new ProjectionHead(arena, shape, vectors, "average", targetRows, scratch);
  const prototypeMemory = layOutPrototypes(arena, K, output, head.outputStride, n, B);
  const { layer, directions, scales } = prototypeMemory;
  const repackCalls = dealBySize([
    ...online.repackCalls,
    ...average.repackCalls,
    ...head.repackCalls,
    ...targetHead.repackCalls,
  ], threads);
  const own = vectors.find("parameters", PROTOTYPES)!;
  repackCalls[threads - 1]!.push(
    ["l2Normalize", own, 4 * output, 0, K, output, directions, scales],
    ["repack", layer, directions, 0],
  );
  return {
    arena,
    vectors,
    optimizer,
    target,
    anchors,
    targetPositions: targetPositions?.table,
    head,
    targetHead,
    cls,
    prototypes: prototypeMemory,
    repackCalls,
    scratch,
    progress,
  };
}

function layOutPrototypes(
  arena: Arena,
  K: number,
  output: number,
  outputStride: number,
  anchors: number,
  targets: number,
): PrototypeMemory {
  const { linear, struct: layer } = putLinear(arena, PROTOTYPES, K, output, {
    needsBackward: true,
  });
  const gradient = arena.reserve(4 * K * output);
  const { name: _, ...fields } = linear;
  writeFields(arena, STRUCTS.TrainedLinear, layer, { ...fields, dWeight: gradient });
  const stride = rowBytes(K);
  const rowsOf = (count: number): SimilarityRows => ({
    count,
    directions: arena.reserve((count + Tile.ROWS_PAST) * outputStride),
    scales: arena.reserve(4 * count),
    similarities: arena.reserve((count + Tile.ROWS_PAST) * stride),
  });
  const rows = { anchors: rowsOf(anchors), target: rowsOf(targets) };
  const dSimilarities = arena.reserve((anchors + Tile.ROWS_PAST) * stride);
  const unsharpened = arena.reserve(targets * stride);
  const loss = arena.reserve(STRUCTS.MsnLoss.bytes);
  const results = arena.reserve(3 * 8);
  writeFields(arena, STRUCTS.MsnLoss, loss, {
    images: targets,
    anchors,
    prototypes: K,
    stride,
    anchorProbabilities: rows.anchors.similarities,
    targetProbabilities: rows.target.similarities,
    unsharpened,
    dSimilarities,
    sums: arena.reserve(8 * K),
    results,
  });
  return {
    count: K,
    outputs: output,
    layer,
    directions: arena.reserve(4 * K * output),
    scales: arena.reserve(4 * K),
    gradient,
    loss,
    results,
    rows,
    dSimilarities,
    unsharpened,
    stride,
  };
}
