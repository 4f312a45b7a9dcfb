import { assertEquals } from "@std/assert";
import { Arena, sharedMemory } from "../../src/runtime/simd/arena.ts";
import {
  type Build,
  instantiate,
  kernelModule,
  type Kernels,
} from "../../src/runtime/simd/kernels.ts";
import { Tile } from "../../src/runtime/simd/structs.ts";
import { putStruct } from "../../src/runtime/simd/write_struct.ts";

/** Every test of a kernel runs on both. */
export const BUILDS: readonly Build[] = ["relaxed", "plain"];

/** All functions of `wasm/assembly/vit_msn.ts`, with those that the host does not call. */
export interface AllKernels extends Kernels {
  activate(activation: number, data: number, count: number): void;
  attention(head: number, scratch: number): void;
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

/** Kernels and a memory, whose pieces lie 4 bytes off what is aligned. */
export class Instance {
  readonly kernels: AllKernels;
  readonly arena: Arena;

  constructor(readonly build: Build) {
    const memory = sharedMemory();
    this.kernels = instantiate(kernelModule(build), memory) as AllKernels;
    this.arena = new Arena(memory, this.kernels.freeMemory());
  }

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
    const place = this.poisoned((count + this.kernels.tileRows()) * stride);
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

/** Scratch of a thread, as large as a linear layer or an attention needs it. */
export function putScratch(
  instance: Instance,
  rows: number,
  inputs: number,
  tokens: number,
): number {
  const tileRows = instance.kernels.tileRows();
  const allRows = rows + tileRows;
  const quantizedStride = Math.ceil(inputs / 4) * 4 + 4;
  const scoresStride = 4 * Math.ceil(tokens / Tile.PANEL) * Tile.PANEL + 4;
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
    panel: instance.poisoned(4 * Tile.PANEL * inputs),
    tile: instance.poisoned(4 * Tile.PANEL * tileRows),
    progress: instance.poisoned(4),
  });
}
