import {
  type Build,
  type ForwardInputs,
  onnxruntimeWasm,
  type Runtime,
  simdRuntime,
  type ViTMSNModel,
} from "../../src/mod.ts";
import { patchGrid, type ViTMSNConfig } from "../../src/vit_msn/config.ts";
import { choosePatches } from "../../src/vit_msn/kept_patches.ts";
import type { WeightDataType } from "../../src/vit_msn/precision.ts";
import type { BenchModel } from "./models.ts";

/** A way to run a model. */
export interface Engine {
  readonly backend: string;
  readonly dtype: WeightDataType;
  readonly threads: number;
  /** The share of patches that go on. */
  readonly keepPatches: number;
  /** The build whose kernels' rate it is held against. */
  readonly build: Build;
  readonly runtime: Runtime;
}

/** What is timed side by side. */
export const ENGINES: readonly Engine[] = [
  onnxruntimeWeb("f32"),
  onnxruntimeWeb("int8"),
  simd("relaxed", "f32"),
  simd("relaxed", "f16"),
  simd("relaxed", "int8"),
  simd("plain", "f32"),
  simd("plain", "int8"),
  simd("relaxed", "f32", { threads: 2 }),
  simd("relaxed", "int8", { threads: 2 }),
  simd("relaxed", "int8", { keepPatches: 0.5 }),
];

function onnxruntimeWeb(dtype: WeightDataType): Engine {
  return {
    backend: "onnxruntime-web",
    dtype,
    threads: 1,
    keepPatches: 1,
    build: "relaxed",
    runtime: onnxruntimeWasm,
  };
}

function simd(
  build: Build,
  dtype: WeightDataType,
  { threads = 1, keepPatches = 1 } = {},
): Engine {
  const share = keepPatches === 1 ? "" : `, keep-patches ${keepPatches}`;
  const runtime = simdRuntime({ build, threads });
  return { backend: `simd ${build}${share}`, dtype, threads, keepPatches, build, runtime };
}

/** A name that no other engine has. */
export function engineName({ backend, dtype, threads }: Engine): string {
  return `${backend} ${dtype} ${threads}`;
}

/** Computes what an embedding is made of. */
export async function embedPixels(
  model: ViTMSNModel,
  pixel_values: BenchModel["pixels"],
  { keepPatches }: Engine,
): Promise<void> {
  const inputs: ForwardInputs = keepPatches === 1
    ? { pixel_values }
    : { pixel_values, kept_patches: keptPatches(model.config, keepPatches) };
  await model.forward(inputs, { outputs: ["last_hidden_state"] });
}

/** T, with CLS. */
export function tokensOf(config: ViTMSNConfig, { keepPatches }: Engine): number {
  return 1 + choosePatches(patchCount(config), { keepPatches }).length;
}

function keptPatches(config: ViTMSNConfig, keepPatches: number) {
  const data = BigInt64Array.from(choosePatches(patchCount(config), { keepPatches }), BigInt);
  return { dtype: "int64", shape: [1, data.length], data } as const;
}

function patchCount(config: ViTMSNConfig): number {
  const [rows, columns] = patchGrid(config);
  return rows * columns;
}
