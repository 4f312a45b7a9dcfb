import { assertEquals } from "@std/assert";
import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import type { SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import { writeFields } from "../../../src/runtime/simd/write_struct.ts";
import {
  instantiateTrain,
  type TrainKernels,
  trainModule,
} from "../../../src/train/engine/kernels.ts";
import { Strip, STRUCTS, Tile } from "../../../src/train/engine/structs.ts";
import { GUARD, GuardedMemory } from "../instance.ts";
import { padded } from "../numbers.ts";

/** Every test of a kernel runs on all builds. */
export const TRAIN_BUILDS: readonly SimdBuild[] = ["relaxed", "plain"];

/** All functions of `wasm/assembly/train.ts`, with those that the host does not call. */
export interface AllTrainKernels extends TrainKernels {
  accumulateOuter(
    a: number,
    stride: number,
    m: number,
    panel: number,
    k: number,
    columns: number,
    out: number,
    outStride: number,
    spare: number,
  ): void;
  activateBackward(
    activation: number,
    x: number,
    count: number,
    out: number,
    gradient: number,
  ): void;
  attentionBackward(head: number, scratch: number): void;
  batchNorm(
    norm: number,
    x: number,
    stride: number,
    rows: number,
    start: number,
    end: number,
    mean: number,
    scale: number,
    out: number,
  ): void;
  batchNormBackward(
    norm: number,
    x: number,
    stride: number,
    rows: number,
    start: number,
    end: number,
    mean: number,
    scale: number,
    d: number,
  ): void;
  batchStatistics(
    norm: number,
    x: number,
    stride: number,
    rows: number,
    start: number,
    end: number,
    mean: number,
    scale: number,
  ): void;
  computeLoss(
    kind: number,
    logits: number,
    targets: number,
    positive: number,
    count: number,
    factor: number,
    dLogits: number,
  ): number;
  layerNormBackward(
    x: number,
    weight: number,
    dy: number,
    width: number,
    epsilon: number,
    dx: number,
    dWeight: number,
    dBias: number,
  ): void;
  packColumns(
    x: number,
    stride: number,
    rows: number,
    columns: number,
    depth: number,
    panels: number,
  ): void;
  packRows(
    x: number,
    stride: number,
    rows: number,
    k: number,
    depth: number,
    panels: number,
  ): void;
  product(
    a: number,
    stride: number,
    rows: number,
    b: number,
    k: number,
    columns: number,
    bias: number,
    adds: number,
    out: number,
    outStride: number,
    scratch: number,
  ): void;
}

const modules = new Map<SimdBuild, WebAssembly.Module>();

/** The kernels of training and their memory. */
export class TrainInstance extends GuardedMemory {
  readonly kernels: AllTrainKernels;

  constructor(build: SimdBuild) {
    if (!modules.has(build)) modules.set(build, trainModule(build));
    const memory = sharedMemory();
    const kernels = instantiateTrain(modules.get(build)!, memory) as AllTrainKernels;
    super(new Arena(memory, kernels.freeMemory()));
    this.kernels = kernels;
  }

  /** Writes a new struct. */
  putStruct(name: keyof typeof STRUCTS, values: Readonly<Record<string, number>>): number {
    const place = this.arena.reserve(STRUCTS[name].bytes);
    writeFields(this.arena, STRUCTS[name], place, values);
    return place;
  }

  /** Rows to add to, `stride` bytes apart, with guards in between. */
  guardedRows(rows: Float32Array, width: number, stride: number): number {
    const count = rows.length / width;
    const place = this.guarded(count * stride);
    for (let row = 0; row < count; row++) {
      const numbers = rows.subarray(row * width, (row + 1) * width);
      this.arena.floats(place + row * stride, width).set(numbers);
    }
    return place;
  }

  /** A copy of rows of results, which must have their guards between them. */
  takeRows(place: number, rows: number, width: number, stride: number): Float32Array {
    const all = this.take(place, rows * stride / 4);
    const isOwn = (i: number) => i % (stride / 4) < width;
    const past = all.filter((_, i) => !isOwn(i));
    assertEquals(past, new Float32Array(past.length).fill(GUARD), "What is between rows changed");
    return all.filter((_, i) => isOwn(i));
  }

  /** Scratch of a thread that attends to that many tokens. */
  putScratch(tokens = 0): number {
    const scoresStride = 4 * padded(tokens, Tile.PANEL) + 4;
    return this.putStruct("Scratch", {
      scores: this.poisoned((Strip.ROWS + Tile.ROWS_PAST) * scoresStride),
      scoresStride,
      rowScale: this.poisoned(4 * (Strip.ROWS + Tile.ROWS_PAST)),
      tile: this.poisoned(4 * Tile.PANEL * (Tile.STRIP_ROWS + Tile.ROWS_PAST)),
      progress: this.poisoned(4),
    });
  }
}

/** Rows of numbers, each followed by what is to be left as it is. */
export function withGuards(
  rows: ArrayLike<number>,
  width: number,
  stride: number,
  guard: number,
): Float64Array {
  const count = rows.length / width;
  const all = new Float64Array(count * stride / 4).fill(guard);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) all[row * stride / 4 + i] = rows[row * width + i]!;
  }
  return all;
}
