import { onnxruntimeWasm, onnxruntimeWebgpu } from "../../../src/runtime/onnxruntime/mod.ts";
import { ortOfBytes } from "../../../src/runtime/onnxruntime/ort_of_bytes.ts";
import {
  type ForwardInputs,
  type Runtime,
  type SimdBuild,
  simdRuntime,
  type Tensor,
  type ViTMSNModel,
} from "../../../src/mod.ts";
import { bestBuild } from "../../../src/runtime/simd/kernels.ts";
import { patchGrid, type ViTMSNConfig } from "../../../src/vit_msn/config.ts";
import { choosePatches } from "../../../src/vit_msn/patch_dropping.ts";
import type { WeightDataType } from "../../../src/vit_msn/quantize.ts";
import type { BenchModel } from "./models.ts";
import { flopsOf } from "../../../src/vit_msn/flops.ts";

const WASM = onnxruntimeWasm(ortOfBytes);
const WEBGPU = onnxruntimeWebgpu(ortOfBytes);

/** A way to run a model. */
export interface Engine {
  readonly backend: string;
  readonly dtype: WeightDataType;
  readonly threads: number;
  /** The share of patches that go on. */
  readonly keepPatches: number;
  /** The build of this project's kernels, if it runs on them. */
  readonly build?: SimdBuild;
  readonly runtime: Runtime;
}

/** What is timed side by side, where the host has it. */
export const ENGINES: readonly Engine[] = [
  onnxruntimeWeb("f32"),
  onnxruntimeWeb("f16"),
  onnxruntimeWeb("int8"),
  simd("relaxed", "f32"),
  simd("relaxed", "f16"),
  simd("relaxed", "int8"),
  simd("relaxed", "int8", { keepPatches: 0.5 }),
  simd("relaxed", "f32", { threads: 2 }),
  simd("relaxed", "int8", { threads: 2 }),
  simd("plain", "f32"),
  simd("plain", "int8"),
  webgpu("f32"),
  webgpu("f16"),
];

function onnxruntimeWeb(dtype: WeightDataType): Engine {
  return {
    backend: "onnxruntime-web",
    dtype,
    threads: 1,
    keepPatches: 1,
    runtime: WASM,
  };
}

function webgpu(dtype: WeightDataType): Engine {
  return {
    backend: "webgpu",
    dtype,
    threads: 1,
    keepPatches: 1,
    runtime: WEBGPU,
  };
}

function simd(
  build: SimdBuild,
  dtype: WeightDataType,
  { threads = 1, keepPatches = 1 } = {},
): Engine {
  const name = build === "relaxed" ? "simd" : `simd ${build}`;
  const backend = keepPatches === 1 ? name : `${name}, keep-patches ${keepPatches}`;
  const runtime = simdRuntime({ build, threads });
  return { backend, dtype, threads, keepPatches, build, runtime };
}

/** The engines that this host can run a model on; an adapter in software takes too long for large ones. */
export async function enginesFor(
  { config, dtypes, isOwn }: BenchModel,
): Promise<readonly Engine[]> {
  const info = await adapterInfo();
  const isSmall = flopsOf(config, 1 + patchCount(config)) < MAX_SOFTWARE_FLOPS;
  const hasWebgpu = info && (isSmall || !info.isFallbackAdapter);
  // Other tools' files run on onnxruntime-web whatever their precision.
  return ENGINES.filter(({ runtime, build, dtype }) => {
    if (!dtypes.includes(dtype)) return false;
    if (!isOwn) return runtime === WASM;
    if (runtime === WEBGPU) return hasWebgpu;
    return build !== "relaxed" || bestBuild() === "relaxed";
  });
}

/** An image of the embedded model takes 0.4 · 10⁹ operations, one of vit-msn-small's shape 9 · 10⁹. */
const MAX_SOFTWARE_FLOPS = 1e9;

let adapter: Promise<GPUAdapter | null> | undefined;

/** What WebGPU runs on, if there is anything. */
async function adapterInfo(): Promise<GPUAdapterInfo | undefined> {
  adapter ??= navigator.gpu?.requestAdapter();
  return (await adapter)?.info;
}

/** The engine as a table shows it: with WebGPU's adapter. */
export async function backendName({ backend, runtime }: Engine): Promise<string> {
  const info = runtime === WEBGPU ? await adapterInfo() : undefined;
  return info ? `${backend}, ${info.description || info.device || info.vendor}` : backend;
}

/** A name that no other engine has. */
export function engineName({ backend, dtype, threads }: Engine): string {
  return `${backend} ${dtype} ${threads}`;
}

/** Computes what the embeddings of a batch are made of. */
export async function embedPixels(
  model: ViTMSNModel,
  pixel_values: Tensor<"float32">,
  { keepPatches }: Engine,
): Promise<void> {
  const inputs: ForwardInputs = keepPatches === 1 ? { pixel_values } : {
    pixel_values,
    kept_patches: keptPatches(model.config, keepPatches, pixel_values.shape[0]!),
  };
  // Other tools' classifiers may compute logits alone.
  const hasState = model.defaultOutputs.includes("last_hidden_state");
  await model.forward(inputs, { outputs: [hasState ? "last_hidden_state" : "logits"] });
}

/** T, with CLS. */
export function tokensOf(config: ViTMSNConfig, { keepPatches }: Engine): number {
  return 1 + choosePatches(patchCount(config), { keepPatches }).length;
}

function keptPatches(config: ViTMSNConfig, keepPatches: number, batch: number) {
  const kept = choosePatches(patchCount(config), { keepPatches });
  const data = BigInt64Array.from(Array(batch).fill(kept).flat(), BigInt);
  return { dtype: "int64", shape: [batch, kept.length], data } as const;
}

function patchCount(config: ViTMSNConfig): number {
  const [rows, columns] = patchGrid(config);
  return rows * columns;
}
