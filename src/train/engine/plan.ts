import type { Arena } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import { type HiddenActivation, patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import { Activation as ActivationNumber, Strip, STRUCTS, Tile } from "./structs.ts";

/** A layer's parameters in memory, which all threads share: pointers. */
export interface SharedLinear {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly forward: number;
  /** 0 if no gradient goes below the layer. */
  readonly backward: number;
  readonly bias: number;
}

/** The model in memory, as plans of all threads refer to it. */
export interface SharedModel {
  readonly linears: ReadonlyMap<string, SharedLinear>;
  /** Pointers of vectors and tables by name. */
  readonly vectors: ReadonlyMap<string, number>;
}

/** The shape of a batch's images. */
export interface Geometry {
  readonly imageSize: readonly [height: number, width: number];
  /** T, with CLS. */
  readonly tokens: number;
}

/** What is in memory for a batch, which all threads share: pointers. */
export interface BatchMemory {
  readonly pixels: number;
  readonly inputs: number;
  readonly patches: number;
  readonly mask: number;
  readonly targets: number;
  readonly branchScale: number;
  readonly output: number;
  /** 0 if a classifier follows. */
  readonly dOutput: number;
  readonly logits: number;
  readonly dLogits: number;
}

/** What a thread's plan is made of. */
export interface PlanOptions {
  readonly config: ViTMSNConfig;
  readonly geometry: Geometry;
  readonly model: SharedModel;
  readonly batch: BatchMemory;
  /** The most images of a chunk. */
  readonly chunk: number;
  readonly labels: number;
  readonly first: number;
  readonly lowest: number;
  readonly learnsEmbeddings: boolean;
  /** Whether the plan is for the forward alone, which keeps nothing. */
  readonly isForwardOnly: boolean;
  /** Chunks whose forwards are kept for their backwards: plans that share all other memory; default 1. */
  readonly kept?: number;
  readonly positions: number;
  readonly gradients: number;
  readonly gradientBytes: number;
  /** The i32 that the thread increases now and then. */
  readonly progress: number;
  /** The place of a tensor's gradient in this thread's memory, or 0. */
  gradientOf(name: string): number;
}

/** Hugging Face's names of activation functions. */
const ACTIVATIONS: Readonly<Record<HiddenActivation, number>> = {
  gelu: ActivationNumber.GELU,
  gelu_new: ActivationNumber.GELU_TANH,
  gelu_pytorch_tanh: ActivationNumber.GELU_TANH,
  quick_gelu: ActivationNumber.QUICK_GELU,
  relu: ActivationNumber.RELU,
  silu: ActivationNumber.SILU,
};

/**
 * Bytes of a row of f32: an odd number of cache lines, so that the rows of a column spread over all sets of a
 * cache.
 */
export function rowBytes(numbers: number): number {
  const lines = Math.ceil(numbers / 16);
  return 64 * (lines + 1 - lines % 2);
}

/** The next multiple of 8. */
export function padded(size: number): number {
  return Math.ceil(size / Tile.PANEL) * Tile.PANEL;
}

/** Bytes in which `accumulateOuter` computes a tile at an edge. */
const SPARE_BYTES = 128;

/** Bytes of a row of states; behind its numbers are zeros for the padding of the last head. */
export function stateBytes({ hiddenSize }: ViTMSNConfig): number {
  return rowBytes(padded(hiddenSize) + Tile.PANEL);
}

/** Rows that a chunk of images has at least, if the batch has as many. */
const CHUNK_ROWS = 256;

/** Images that a thread computes at a time. */
export function chunkOf(batchSize: number, threads: number, { tokens }: Geometry): number {
  return Math.min(Math.ceil(batchSize / threads), Math.max(1, Math.round(CHUNK_ROWS / tokens)));
}

/** Bytes of a row of logits. */
export function logitBytes(labels: number): number {
  return rowBytes(padded(labels));
}

/** Lays out a thread's memory; returns the pointers of its plans, one for each chunk that is kept. */
export function makePlans(arena: Arena, options: PlanOptions): number[] {
  const { config, geometry, model, batch, chunk, labels, lowest } = options;
  const { hiddenSize: D, intermediateSize: I, numAttentionHeads: heads, numHiddenLayers: L } =
    config;
  const T = geometry.tokens;
  const headSize = D / heads;
  const paddedHeadSize = padded(headSize);
  const paddedT = padded(T);
  const pixels = config.numChannels * config.patchSize[0] * config.patchSize[1];
  const stateStride = stateBytes(config);
  const hiddenStride = rowBytes(Math.max(padded(I), padded(pixels)));
  const rows = chunk * T + Tile.ROWS_PAST;
  const tileRows = Tile.STRIP_ROWS + Tile.ROWS_PAST;
  const states = (count = rows) => arena.reserve(count * stateStride);
  const put = (name: keyof typeof STRUCTS, values: Readonly<Record<string, number>>) => {
    const place = arena.reserve(STRUCTS[name].bytes);
    writeFields(arena, STRUCTS[name], place, values);
    return place;
  };
  const linear = (name: string) => {
    const { name: _, ...layer } = model.linears.get(name)!;
    return put("TrainedLinear", {
      ...layer,
      dWeight: options.gradientOf(`${name}.weight`),
      dBias: options.gradientOf(`${name}.bias`),
    });
  };
  const norm = (name: string) =>
    put("TrainedNorm", {
      weight: model.vectors.get(`${name}.weight`)!,
      bias: model.vectors.get(`${name}.bias`)!,
      dWeight: options.gradientOf(`${name}.weight`),
      dBias: options.gradientOf(`${name}.bias`),
    });
  const kept = (isLast: boolean) => {
    const ownRows = isLast ? chunk + Tile.ROWS_PAST : rows;
    return {
      queries: states(ownRows),
      keys: states(),
      values: states(),
      context: states(ownRows),
      middle: states(ownRows),
      hidden: arena.reserve(ownRows * hiddenStride),
    };
  };
  // Blocks without a backward need no memory of their own: their inputs alternate, and nothing else outlasts
  // them.
  const firstKept = options.isForwardOnly ? L : lowest;
  const passing = firstKept > 0 ? { ...kept(false), inputs: [states(), states()] } : undefined;
  const layers = Array.from({ length: L }, (_, i) => {
    const layer = `encoder.layer.${i}`;
    const attention = `${layer}.attention.attention`;
    return {
      normBefore: norm(`${layer}.layernorm_before`),
      query: linear(`${attention}.query`),
      key: linear(`${attention}.key`),
      value: linear(`${attention}.value`),
      attentionOutput: linear(`${layer}.attention.output.dense`),
      normAfter: norm(`${layer}.layernorm_after`),
      intermediate: linear(`${layer}.intermediate.dense`),
      output: linear(`${layer}.output.dense`),
    };
  });
  const putBlocks = () => {
    const blocks = arena.reserve(L * STRUCTS.TrainedBlock.bytes);
    layers.forEach((layer, i) => {
      const { inputs: _, ...shared } = passing ?? { inputs: [] };
      writeFields(arena, STRUCTS.TrainedBlock, blocks + i * STRUCTS.TrainedBlock.bytes, {
        ...layer,
        ...(i < firstKept
          ? { ...shared, input: passing!.inputs[i % 2]! }
          : { ...kept(i === L - 1), input: states() }),
      });
    });
    return blocks;
  };
  const shared = {
    keys: arena.reserve(4 * paddedT * paddedHeadSize),
    values: arena.reserve(4 * paddedT * paddedHeadSize),
  };
  const scoresStride = rowBytes(paddedT);
  const scores = () => arena.reserve((Strip.ROWS + Tile.ROWS_PAST) * scoresStride);
  const panels = (depth: number) => arena.reserve(4 * paddedHeadSize * depth);
  const scratch = put("Scratch", {
    scores: scores(),
    scoresStride,
    rowScale: arena.reserve(4 * (Strip.ROWS + Tile.ROWS_PAST)),
    tile: arena.reserve(4 * Tile.PANEL * tileRows),
    progress: options.progress,
  });
  const sizes = { stride: stateStride, tokens: T, scale: headSize ** -0.5 };
  const learns = (name: string) => options.gradientOf(name);
  const vector = (name: string) => model.vectors.get(name) ?? 0;
  const fields = {
    chunk,
    tokens: T,
    width: D,
    hiddenWidth: I,
    heads,
    headSize,
    paddedHeadSize,
    layers: L,
    labels,
    epsilon: config.layerNormEps,
    activation: ACTIVATIONS[config.hiddenAct],
    first: options.first,
    lowest,
    learnsEmbeddings: Number(options.learnsEmbeddings),
    ...batch,
    channels: config.numChannels,
    imageHeight: geometry.imageSize[0],
    imageWidth: geometry.imageSize[1],
    patchHeight: config.patchSize[0],
    patchWidth: config.patchSize[1],
    patchCount: patchCount(config, geometry),
    maskToken: vector("embeddings.mask_token"),
    dMaskToken: learns("embeddings.mask_token"),
    cls: vector("embeddings.cls_token"),
    dCls: learns("embeddings.cls_token"),
    positions: options.positions,
    dPositions: learns("embeddings.position_embeddings"),
    patchEmbeddings: linear("embeddings.patch_embeddings.projection"),
    norm: norm("layernorm"),
    classifier: labels > 0 ? linear("classifier") : 0,
    stateStride,
    hiddenStride,
    logitStride: logitBytes(labels),
    normal: states(),
    branch: states(),
    hidden: arena.reserve(rows * hiddenStride),
    dStates: states(),
    dBranch: states(),
    dQueries: states(),
    dKeys: states(),
    dValues: states(),
    dHidden: arena.reserve(rows * hiddenStride),
    gradients: options.gradients,
    gradientBytes: options.gradientBytes,
    head: put("Head", {
      ...shared,
      queryStride: stateStride,
      tokens: T,
      headSize: paddedHeadSize,
      scale: sizes.scale,
      outStride: stateStride,
    }),
    headGradient: put("HeadGradient", {
      ...sizes,
      size: headSize,
      paddedSize: paddedHeadSize,
      keyRows: panels(paddedT),
      valueRows: panels(paddedT),
      keyColumns: panels(T),
      queryColumns: panels(Strip.ROWS),
      dContextColumns: panels(Strip.ROWS),
      dScores: scores(),
      spare: arena.reserve(SPARE_BYTES),
    }),
    scratch,
    gradientScratch: putGradientScratch(arena, Math.max(D, I, pixels), rows, options.progress),
  };
  return Array.from(
    { length: options.kept ?? 1 },
    () =>
      put("TrainPlan", {
        ...fields,
        blocks: putBlocks(),
        last: states(chunk + Tile.ROWS_PAST),
      }),
  );
}

/**
 * Reserves the memory in which a thread computes the gradients of layers' parameters.
 *
 * @param inputs of the widest layer.
 * @param rows the most rows.
 */
export function putGradientScratch(
  arena: Arena,
  inputs: number,
  rows: number,
  progress: number,
): number {
  const place = arena.reserve(STRUCTS.GradientScratch.bytes);
  writeFields(arena, STRUCTS.GradientScratch, place, {
    panels: arena.reserve(4 * padded(inputs) * rows),
    block: arena.reserve(64 * rows),
    spare: arena.reserve(SPARE_BYTES),
    progress,
  });
  return place;
}

/** Bytes that the backward of an image needs of its forward: 10 D numbers a token and block, if the MLP has 4 D. */
export function keptBytes(config: ViTMSNConfig, { tokens }: Geometry): number {
  const { hiddenSize: D, intermediateSize: I, numHiddenLayers: L } = config;
  return 4 * tokens * L * (6 * D + I);
}

/** N, the patches of an image. */
export function patchCount({ patchSize }: ViTMSNConfig, { imageSize }: Geometry): number {
  const [rows, columns] = patchGrid({ imageSize, patchSize });
  return rows * columns;
}
