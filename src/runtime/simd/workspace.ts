import type { Tensor } from "../../tensor/tensor.ts";
import { type HiddenActivation, patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import { interpolatePositions } from "../../vit_msn/interpolate_positions.ts";
import { aligned, Arena } from "./arena.ts";
import { type PackedModel, paddedHeadSize } from "./packed_model.ts";
import { Activation as ActivationNumber, Tile } from "./structs.ts";
import { structBytes, writeStruct } from "./write_struct.ts";

/** What the size of a run's memory depends on. */
export interface Geometry {
  /** [height, width] in pixels. */
  readonly imageSize: readonly [number, number];
  /** T, with CLS. */
  readonly tokens: number;
  /** Whether a block's attentions are kept, [heads, T, T]. */
  readonly attentions: boolean;
}

/** Memory for the activations of one image at a time: where everything is. */
export interface Workspace {
  readonly geometry: Geometry;
  readonly plan: number;
  /** `Thread`: what each thread has to itself. */
  readonly threads: readonly number[];
  /** `Barrier` */
  readonly barrier: number;
  /** One number a thread, a cache line apart; they grow while the threads work, whatever they work on. */
  readonly progress: number;
  readonly pixels: number;
  readonly patches: number;
  readonly mask: number;
  readonly positions: number;
  readonly states: number;
  readonly output: number;
  /** Bytes from token to token of `states` and `output`. */
  readonly stateStride: number;
  readonly attentions: number;
  readonly logits: number;
}

/** A cache line. */
export const PROGRESS_STRIDE = 64;

/**
 * Rows of a block, for each of which a layer's weights are read once. In int8, 198 are 1 to 3 % faster than 50 to
 * 99 for vit-msn-small's shape; more would only take memory.
 */
const BLOCK_ROWS = 198;

/** The kernels' numbers of the activation functions. */
const ACTIVATIONS: Readonly<Record<HiddenActivation, number>> = {
  gelu: ActivationNumber.GELU,
  gelu_new: ActivationNumber.GELU_TANH,
  gelu_pytorch_tanh: ActivationNumber.GELU_TANH,
  quick_gelu: ActivationNumber.QUICK_GELU,
  relu: ActivationNumber.RELU,
  silu: ActivationNumber.SILU,
};

/** Bytes of a row of f32, such that rows do not all begin in the same lines of a cache. */
function rowStride(elements: number): number {
  const bytes = Math.ceil(4 * elements / 64) * 64;
  return bytes % 2048 === 0 ? bytes + 64 : bytes;
}

/** Reserves memory for a geometry. Nothing is written yet. */
function layOut(
  config: ViTMSNConfig,
  { maxInputs }: PackedModel,
  geometry: Geometry,
  threadCount: number,
  reserve: (bytes: number) => number,
) {
  const { hiddenSize: D, numAttentionHeads: heads, intermediateSize: I } = config;
  const { imageSize: [height, width], tokens: T } = geometry;
  const [rows, columns] = patchGrid({ imageSize: geometry.imageSize, patchSize: config.patchSize });
  const N = rows * columns;
  const headSize = paddedHeadSize(config);
  const paddedT = Math.ceil(T / Tile.PANEL) * Tile.PANEL;
  const blockRows = Math.min(BLOCK_ROWS, T);
  // Tiles are read as a whole, past the last row.
  const tokenRows = T + Tile.ROWS_PAST;
  const scratchRows = blockRows + Tile.ROWS_PAST;
  const tileRows = Tile.STRIP_ROWS + Tile.ROWS_PAST;
  const stateStride = rowStride(Math.ceil(D / Tile.PANEL) * Tile.PANEL);
  const queryStride = rowStride(heads * headSize);
  const normalStride = Math.max(stateStride, queryStride);
  const pixels = config.numChannels * config.patchSize[0] * config.patchSize[1];
  const hiddenStride = rowStride(Math.max(Math.ceil(I / Tile.PANEL) * Tile.PANEL, pixels));
  const quantizedStride = rowStride(Math.ceil(maxInputs / 4)); // four a group
  const scoresStride = rowStride(paddedT);
  const keyBytes = 4 * heads * headSize * paddedT;
  const threads = Array.from({ length: threadCount }, () => ({
    thread: reserve(structBytes("Thread")),
    scratch: reserve(structBytes("Scratch")),
    target: reserve(structBytes("Target")),
    head: reserve(structBytes("Head")),
    normal: reserve(scratchRows * normalStride),
    hidden: reserve(scratchRows * hiddenStride),
    quantized: reserve(scratchRows * quantizedStride),
    rowScale: reserve(4 * scratchRows),
    rowStart: reserve(4 * scratchRows),
    scores: reserve(tileRows * scoresStride),
    numerators: reserve(tileRows * paddedT),
    keys: reserve(paddedT * headSize),
    values: reserve(paddedT * headSize),
    keyScale: reserve(4 * paddedT),
    valueScale: reserve(4 * headSize),
    valueMean: reserve(4 * headSize),
    panel: reserve(Tile.PANEL * Math.max(4 * maxInputs, 2 * paddedT)),
    tile: reserve(4 * Tile.PANEL * tileRows),
  }));
  return {
    threads,
    strides: {
      stateStride,
      queryStride,
      normalStride,
      hiddenStride,
      quantizedStride,
      scoresStride,
      numeratorsStride: paddedT,
    },
    headSize,
    blockRows,
    keyBytes,
    plan: reserve(structBytes("Plan")),
    barrier: reserve(structBytes("Barrier")),
    pixels: reserve(4 * config.numChannels * height * width),
    patches: reserve(4 * Math.max(1, T - 1)),
    mask: reserve(N),
    positions: reserve(4 * (N + 1) * D),
    states: reserve(tokenRows * stateStride),
    output: reserve(tokenRows * stateStride),
    queries: reserve(tokenRows * queryStride),
    keys: reserve(2 * keyBytes),
    values: reserve(2 * keyBytes),
    attentions: geometry.attentions ? reserve(4 * heads * T * T) : 0,
    logits: reserve(4 * Math.ceil(config.id2label.length / Tile.PANEL) * Tile.PANEL),
  };
}

/** The end of a workspace that begins at `start`, in bytes. */
export function workspaceEnd(
  config: ViTMSNConfig,
  model: PackedModel,
  geometry: Geometry,
  threadCount: number,
  start: number,
): number {
  let end = start;
  layOut(config, model, geometry, threadCount, (bytes) => {
    const place = aligned(end);
    end = place + bytes;
    return place;
  });
  return end;
}

/**
 * Makes a workspace in the part of a memory from `start` on. Of its plan the host writes `lastTokens`,
 * `mask` and `classifier` before each run.
 *
 * @param progress where its first thread counts.
 */
export function makeWorkspace(
  config: ViTMSNConfig,
  model: PackedModel,
  geometry: Geometry,
  threadCount: number,
  memory: WebAssembly.Memory,
  start: number,
  progress: number,
): Workspace {
  const arena = new Arena(memory, start);
  const places = layOut(
    config,
    model,
    geometry,
    threadCount,
    (bytes) => arena.reserve(bytes),
  );
  const { threads, strides, headSize, blockRows, plan, ...shared } = places;
  const activation = ACTIVATIONS[config.hiddenAct];
  const { hiddenSize, numAttentionHeads } = config;
  threads.forEach(({ thread, scratch, target, head, ...buffers }, index) => {
    writeStruct(arena, "Thread", thread, { index, count: threadCount, scratch, target, head });
    writeStruct(arena, "Scratch", scratch, {
      ...buffers,
      ...strides,
      progress: progress + index * PROGRESS_STRIDE,
    });
    writeStruct(arena, "Target", target, { headSize, activation });
    writeStruct(arena, "Head", head, {
      queryStride: strides.queryStride,
      tokens: geometry.tokens,
      headSize,
      scale: (hiddenSize / numAttentionHeads) ** -0.5,
      outStride: strides.normalStride,
    });
  });
  writeStruct(arena, "Barrier", shared.barrier, { arrived: 0, round: 0, isBroken: 0 });
  writeStruct(arena, "Plan", plan, {
    ...model as Omit<PackedModel, "positions" | "maxInputs">,
    ...shared,
    ...strides,
    tokens: geometry.tokens,
    width: hiddenSize,
    heads: numAttentionHeads,
    headSize,
    layers: config.numHiddenLayers,
    epsilon: config.layerNormEps,
    blockRows,
    channels: config.numChannels,
    imageHeight: geometry.imageSize[0],
    imageWidth: geometry.imageSize[1],
    patchHeight: config.patchSize[0],
    patchWidth: config.patchSize[1],
  });
  const positions = positionsOf(config, model.positions, geometry);
  arena.floats(shared.positions, positions.length).set(positions);
  return {
    ...shared,
    plan,
    geometry,
    threads: threads.map(({ thread }) => thread),
    progress,
    stateStride: strides.stateStride,
  };
}

function positionsOf(
  config: ViTMSNConfig,
  positions: Tensor<"float32">,
  { imageSize }: Geometry,
): Float32Array {
  const { patchSize } = config;
  return interpolatePositions(positions, patchGrid(config), patchGrid({ imageSize, patchSize }))
    .data;
}
