import { assertEquals } from "@std/assert";
import { Arena, sharedMemory } from "../../src/runtime/simd/arena.ts";
import {
  type DotProduct,
  instantiate,
  kernelModule,
  type Kernels,
  type SimdBuild,
} from "../../src/runtime/simd/kernels.ts";
import { Tile } from "../../src/runtime/simd/structs.ts";
import { putStruct } from "../../src/runtime/simd/write_struct.ts";

const VARIANTS = {
  "relaxed single": ["relaxed", "single"],
  "relaxed pairwise": ["relaxed", "pairwise"],
  "plain": ["plain", "auto"],
} as const satisfies Record<string, readonly [SimdBuild, DotProduct]>;

export type Variant = keyof typeof VARIANTS;

/** The builds, the relaxed one with each of its dot products: every test of a kernel runs on all. */
export const BUILDS = Object.keys(VARIANTS) as readonly Variant[];

/** All functions of `wasm/assembly/vit_msn.ts`, with those that the host does not call. */
export interface AllKernels extends Kernels {
  activate(
    activation: number,
    data: number,
    rows: number,
    stride: number,
  ): void;
  attention(head: number, scratch: number): void;
  attentionI8(head: number, scratch: number): void;
  layerNorm(
    x: number,
    weight: number,
    bias: number,
    out: number,
    width: number,
    epsilon: number,
  ): void;
  linear(
    layer: number,
    x: number,
    stride: number,
    rows: number,
    target: number,
    scratch: number,
    quantized: number,
  ): void;
  quantizeRow(x: number, width: number, out: number, scale: number, start: number): void;
  softmaxNumerators(x: number, count: number, paddedCount: number, scale: number): number;
  widenHalves(halves: number, count: number, out: number): void;
}

/** What results lie in; as f32 it is {@linkcode GUARD}. */
export const GUARD_BYTE = 0x3f;
/** What inputs lie in: as f32 and f16 it is NaN. */
const POISON_BYTE = 0xff;

/** What a kernel must leave as it is. A finite number, so that also adding to it would show. */
export const GUARD = new Float32Array(new Uint8Array(4).fill(GUARD_BYTE).buffer)[0]!;

/** The bytes of an array, without a copy. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A memory, whose pieces lie 4 bytes off what is aligned. */
export class GuardedMemory {
  constructor(readonly arena: Arena) {}

  /** A piece for results. */
  guarded(bytes: number): number {
    return this.#filled(bytes, GUARD_BYTE);
  }

  /** A piece to read from; what is read of it, but not written before, is NaN. */
  poisoned(bytes: number): number {
    return this.#filled(bytes, POISON_BYTE);
  }

  /** Data, with poison around it. */
  put(data: ArrayBufferView): number {
    const place = this.poisoned(data.byteLength);
    this.arena.bytes(place, data.byteLength).set(bytesOf(data));
    return place;
  }

  /** Rows of f32, `stride` bytes apart, and poison enough for a tile that begins at the last one. */
  putRows(rows: Float32Array, width: number, stride: number): number {
    const count = rows.length / width;
    const place = this.poisoned((count + Tile.ROWS_PAST) * stride);
    for (let row = 0; row < count; row++) {
      const numbers = rows.subarray(row * width, (row + 1) * width);
      this.arena.floats(place + row * stride, width).set(numbers);
    }
    return place;
  }

  /** A copy of results, which must have their guards before and behind them. */
  take(place: number, length: number): Float32Array {
    const all = this.arena.floats(place - 4, length + 2);
    assertEquals([all[0], all[length + 1]], [GUARD, GUARD], "What is around the results changed");
    return all.slice(1, -1);
  }

  #filled(bytes: number, byte: number): number {
    const place = this.arena.reserve(bytes + 128);
    this.arena.bytes(place, bytes + 128).fill(byte);
    return place + 4;
  }
}

/** Kernels and their memory. */
export class Instance extends GuardedMemory {
  readonly kernels: AllKernels;

  constructor(readonly build: Variant) {
    const [name, dotProduct] = VARIANTS[build];
    const memory = sharedMemory();
    const kernels = instantiate(kernelModule(name), memory, dotProduct) as AllKernels;
    super(new Arena(memory, kernels.freeMemory()));
    this.kernels = kernels;
  }
}

/**
 * Scratch of a thread, as large as a linear layer of that many inputs needs it, or an attention to that
 * many tokens with heads of `inputs` channels.
 */
export function putScratch(
  instance: Instance,
  rows: number,
  inputs: number,
  tokens: number,
): number {
  const tileRows = Tile.STRIP_ROWS + Tile.ROWS_PAST;
  const allRows = rows + Tile.ROWS_PAST;
  const quantizedStride = Math.ceil(inputs / 4) * 4 + 4;
  const paddedTokens = Math.ceil(tokens / Tile.PANEL) * Tile.PANEL;
  const scoresStride = 4 * paddedTokens + 4;
  const numeratorsStride = paddedTokens + 4;
  return putStruct(instance.arena, "Scratch", {
    normal: 0,
    normalStride: 0,
    hidden: 0,
    hiddenStride: 0,
    quantized: instance.poisoned(allRows * quantizedStride),
    quantizedStride,
    rowScale: instance.poisoned(4 * allRows),
    rowStart: instance.poisoned(4 * allRows),
    scores: instance.poisoned(tileRows * scoresStride),
    scoresStride,
    numerators: instance.poisoned(tileRows * numeratorsStride),
    numeratorsStride,
    keys: instance.poisoned(paddedTokens * inputs),
    values: instance.poisoned(paddedTokens * inputs),
    keyScale: instance.poisoned(4 * paddedTokens),
    valueScale: instance.poisoned(4 * inputs),
    valueMean: instance.poisoned(4 * inputs),
    panel: instance.poisoned(Tile.PANEL * Math.max(4 * inputs, 2 * paddedTokens)),
    tile: instance.poisoned(4 * Tile.PANEL * tileRows),
    progress: instance.poisoned(4),
  });
}
