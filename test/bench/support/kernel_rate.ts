import { Arena, sharedMemory } from "../../../src/runtime/simd/arena.ts";
import { instantiate, kernelModule, type SimdBuild } from "../../../src/runtime/simd/kernels.ts";
import { Tile } from "../../../src/runtime/simd/structs.ts";
import { putStruct } from "../../../src/runtime/simd/write_struct.ts";
import type { WeightDataType } from "../../../src/vit_msn/quantize.ts";
import type { AllKernels } from "../../wasm/instance.ts";
import type { Task } from "./measure.ts";

const DTYPES = { f32: 0, f16: 1, int8: 2 } as const;
const INPUTS = 384;
const OUTPUTS = 2 * Tile.PANEL;
const ROWS = 960;
/** A call is over in a fifth of a millisecond. */
const CALLS = 50;

/** The operations that a task of {@linkcode kernelTask} does, two a multiply-add. */
export const KERNEL_OPERATIONS = 2 * INPUTS * OUTPUTS * ROWS * CALLS;

/**
 * Multiplies the same few rows by two panels of weights again and again: all of it stays in the
 * innermost cache. No model can be faster.
 */
export function kernelTask(build: SimdBuild, dtype: WeightDataType): Task {
  const memory = sharedMemory();
  const kernels = instantiate(kernelModule(build), memory);
  const { linear } = kernels as AllKernels;
  const arena = new Arena(memory, kernels.freeMemory());
  const row = arena.put(new Float32Array(INPUTS).fill(0.5));
  const layer = putStruct(arena, "Linear", {
    dtype: DTYPES[dtype],
    inputs: INPUTS,
    outputs: OUTPUTS,
    weight: arena.reserve(4 * INPUTS * OUTPUTS),
    scale: arena.reserve(4 * OUTPUTS),
    bias: arena.reserve(4 * OUTPUTS),
  });
  const target = putStruct(arena, "Target", {
    kind: 0, // rows, all in the same place
    data: arena.reserve(4 * OUTPUTS),
    stride: 0,
    row: 0,
    headSize: Tile.PANEL,
    activation: 0,
  });
  const scratch = putStruct(arena, "Scratch", {
    normal: 0,
    normalStride: 0,
    hidden: 0,
    hiddenStride: 0,
    numerators: 0,
    numeratorsStride: 0,
    quantized: arena.put(new Int8Array(INPUTS).fill(64)),
    quantizedStride: 0,
    rowScale: arena.put(new Float32Array(ROWS + Tile.PANEL).fill(1 / 127)),
    rowStart: arena.put(new Int32Array(ROWS + Tile.PANEL).fill(-64 * 64 * INPUTS)),
    scores: 0,
    scoresStride: 0,
    keys: 0,
    values: 0,
    keyScale: 0,
    valueScale: 0,
    valueMean: 0,
    panel: arena.reserve(4 * INPUTS * Tile.PANEL),
    tile: arena.reserve(4 * Tile.PANEL * (Tile.STRIP_ROWS + Tile.ROWS_PAST)),
    progress: arena.reserve(4),
  });
  return () => {
    for (let i = 0; i < CALLS; i++) linear(layer, row, 0, ROWS, target, scratch, 1);
  };
}
