import { toFloat32 } from "../../tensor/float16.ts";
import { type Tensor, tensorBytes } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { scaleName } from "../../vit_msn/quantize.ts";
import { MASK_TOKEN, type ViTMSNWeights } from "../../vit_msn/weights.ts";
import type { Arena } from "./arena.ts";
import type { Kernels } from "./kernels.ts";
import { DType, Tile } from "./structs.ts";
import { putStruct, structBytes, writeStruct } from "./write_struct.ts";

/** A model's weights in a WebAssembly memory, as the kernels want them: pointers. */
export interface PackedModel {
  readonly patchEmbeddings: number;
  readonly cls: number;
  /** 0 if there is none. */
  readonly maskToken: number;
  readonly blocks: number;
  readonly normWeight: number;
  readonly normBias: number;
  /** 0 if there is none. */
  readonly classifier: number;
  /** [1, 1 + N, D] for images of the config's size; on the host, as others are made of it. */
  readonly positions: Tensor<"float32">;
  /** The most inputs that any linear layer has. */
  readonly maxInputs: number;
}

/** The kernels' names of the types of weights. */
const DTYPES = { float32: DType.F32, float16: DType.F16, int8: DType.I8 } as const;
const BYTES = { float32: 4, float16: 2, int8: 1 } as const;

/** An axis that is laid out in groups, each padded with zeros. */
interface Axis {
  readonly groups: number;
  readonly size: number;
  readonly paddedSize: number;
}

function padded(size: number): number {
  return Math.ceil(size / Tile.PANEL) * Tile.PANEL;
}

/** The channels of a head, padded to whole panels, so that none has channels of two heads. */
export function paddedHeadSize({ hiddenSize, numAttentionHeads }: ViTMSNConfig): number {
  return padded(hiddenSize / numAttentionHeads);
}

/**
 * Packs weights for the kernels.
 *
 * @param weights of the shapes and types that a file of this project has.
 * @throws {RangeError} if they take more memory than there is, or int8 weights more than seven bits.
 */
export function packModel(
  config: ViTMSNConfig,
  weights: ViTMSNWeights,
  arena: Arena,
  kernels: Kernels,
): PackedModel {
  const { hiddenSize: D, numAttentionHeads: heads, intermediateSize: I } = config;
  const [patchHeight, patchWidth] = config.patchSize;
  const pixels = config.numChannels * patchHeight * patchWidth;
  const get = (name: string) => weights.get(name)!;
  const vector = (name: string) => arena.put(toFloat32(get(name)).data);
  const whole = (size: number): Axis => ({ groups: 1, size, paddedSize: size });
  const panels = (size: number): Axis => ({ groups: 1, size, paddedSize: padded(size) });
  const perHead = { groups: heads, size: D / heads, paddedSize: paddedHeadSize(config) };
  // Their results are the same bits on every host, if nothing beside the int8 products is fused.
  const isInt8 = [...weights.values()].some(({ dtype }) => dtype === "int8");
  const linear = (name: string, outputs: Axis, inputs: Axis) =>
    packLinear(
      {
        isInt8,
        name,
        weight: get(`${name}.weight`),
        bias: weights.get(`${name}.bias`),
        scale: weights.get(scaleName(`${name}.weight`)),
      },
      outputs,
      inputs,
      arena,
      kernels,
    );
  // All at once: growing piece by piece takes its time.
  const bytes = [...weights.values()].reduce((sum, tensor) => sum + tensorBytes(tensor).length, 0);
  arena.makeRoom(arena.end + bytes);
  const { numHiddenLayers: L } = config;
  const blocks = arena.reserve(L * structBytes("Block"));
  for (let i = 0; i < L; i++) {
    const layer = `encoder.layer.${i}`;
    const attention = `${layer}.attention.attention`;
    writeStruct(arena, "Block", blocks + i * structBytes("Block"), {
      normBeforeWeight: vector(`${layer}.layernorm_before.weight`),
      normBeforeBias: vector(`${layer}.layernorm_before.bias`),
      query: linear(`${attention}.query`, perHead, whole(D)),
      key: linear(`${attention}.key`, perHead, whole(D)),
      value: linear(`${attention}.value`, perHead, whole(D)),
      attentionOutput: linear(`${layer}.attention.output.dense`, panels(D), perHead),
      normAfterWeight: vector(`${layer}.layernorm_after.weight`),
      normAfterBias: vector(`${layer}.layernorm_after.bias`),
      intermediate: linear(`${layer}.intermediate.dense`, panels(I), whole(D)),
      output: linear(`${layer}.output.dense`, panels(D), whole(I)),
    });
  }
  return {
    patchEmbeddings: linear("embeddings.patch_embeddings.projection", panels(D), whole(pixels)),
    cls: vector("embeddings.cls_token"),
    maskToken: weights.has(MASK_TOKEN) ? vector(MASK_TOKEN) : 0,
    blocks,
    normWeight: vector("layernorm.weight"),
    normBias: vector("layernorm.bias"),
    classifier: weights.has("classifier.weight")
      ? linear("classifier", panels(config.id2label.length), whole(D))
      : 0,
    positions: copyOf(toFloat32(get("embeddings.position_embeddings"))),
    maxInputs: Math.max(pixels, D, I, heads * perHead.paddedSize),
  };
}

/** A view would keep all of the model's file. */
function copyOf({ dtype, shape, data }: Tensor<"float32">): Tensor<"float32"> {
  return { dtype, shape, data: data.slice() };
}

/** A linear layer's tensors: weight [out, in], bias [out] and, of an int8 weight, scale [out]. */
interface LinearTensors {
  /** Whether the model has int8 weights. */
  readonly isInt8: boolean;
  readonly name: string;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly scale: Tensor | undefined;
}

/** @returns the pointer of its `Linear`. */
function packLinear(
  { isInt8, name, weight, bias, scale }: LinearTensors,
  outputs: Axis,
  inputs: Axis,
  arena: Arena,
  kernels: Kernels,
): number {
  const rows = outputs.groups * outputs.paddedSize;
  const columns = inputs.groups * inputs.paddedSize;
  const exact = isInt8 && weight.dtype === "float16" ? toFloat32(weight) : weight;
  const packed = packMatrix(exact, outputs, inputs, arena, kernels) ??
    // Half precision cannot be told from infinity by the kernel that widens it.
    (weight.dtype === "float16"
      ? packMatrix(toFloat32(weight), outputs, inputs, arena, kernels)
      : undefined);
  if (!packed) {
    throw new RangeError(`Cannot use ${name}.weight: it has int8 numbers of more than seven bits`);
  }
  return putStruct(arena, "Linear", {
    ...packed,
    ...(isInt8 && packed.dtype === DType.F32 ? { dtype: DType.F32_EXACT } : {}),
    inputs: columns,
    outputs: rows,
    scale: scale ? arena.put(paddedVector(toFloat32(scale).data, outputs)) : 0,
    bias: bias ? arena.put(paddedVector(toFloat32(bias).data, outputs)) : arena.reserve(4 * rows),
  });
}

/** @returns nothing if it has numbers that the kernels cannot take. */
function packMatrix(
  weight: Tensor,
  outputs: Axis,
  inputs: Axis,
  arena: Arena,
  kernels: Kernels,
): { dtype: number; weight: number } | undefined {
  const type = weight.dtype as keyof typeof DTYPES;
  const size = BYTES[type];
  const rows = outputs.groups * outputs.paddedSize;
  const columns = inputs.groups * inputs.paddedSize;
  const rowBytes = size * columns;
  // int8 comes in groups of four inputs.
  const panelBytes = Tile.PANEL * (type === "int8" ? Math.ceil(columns / 4) * 4 : rowBytes);
  const place = arena.reserve(rows / Tile.PANEL * panelBytes);
  // Eight rows at a time go through the free memory behind it.
  const staging = arena.end;
  arena.makeRoom(staging + Tile.PANEL * rowBytes);
  const staged = arena.bytes(staging, Tile.PANEL * rowBytes);
  const source = tensorBytes(weight);
  const sourceRow = size * inputs.groups * inputs.size;
  const isPlain = isUnpadded(inputs) && isUnpadded(outputs);
  let fits = true;
  for (let row = 0; row < rows; row += Tile.PANEL) {
    if (isPlain) staged.set(source.subarray(row * rowBytes, (row + Tile.PANEL) * rowBytes));
    for (let r = 0; r < Tile.PANEL && !isPlain; r++) {
      const from = sourceIndex(row + r, outputs);
      const to = staged.subarray(r * rowBytes, (r + 1) * rowBytes);
      if (from === undefined) to.fill(0);
      else copyRow(source.subarray(from * sourceRow, (from + 1) * sourceRow), to, inputs, size);
    }
    const panel = place + row / Tile.PANEL * panelBytes;
    if (!kernels.pack(DTYPES[type], staging, columns, panel)) fits = false;
  }
  staged.fill(0); // what is free is 0
  return fits ? { dtype: DTYPES[type], weight: place } : undefined;
}

function isUnpadded({ size, paddedSize }: Axis): boolean {
  return size === paddedSize;
}

/** The row that a padded axis has at a position, if it is not one that pads. */
function sourceIndex(index: number, { size, paddedSize }: Axis): number | undefined {
  const within = index % paddedSize;
  return within < size ? Math.floor(index / paddedSize) * size + within : undefined;
}

/** Copies a row group by group, each to where its padded one begins. `to` is 0 between them. */
function copyRow(from: Uint8Array, to: Uint8Array, axis: Axis, bytes: number): void {
  if (isUnpadded(axis)) {
    to.set(from);
    return;
  }
  to.fill(0);
  for (let group = 0; group < axis.groups; group++) {
    const begin = group * axis.size * bytes;
    to.set(from.subarray(begin, begin + axis.size * bytes), group * axis.paddedSize * bytes);
  }
}

function paddedVector(data: Float32Array, axis: Axis): Float32Array {
  return Float32Array.from({ length: axis.groups * axis.paddedSize }, (_, i) => {
    const from = sourceIndex(i, axis);
    return from === undefined ? 0 : data[from]!;
  });
}
