import plainWasm from "../../../wasm/train_plain.wasm.ts";
import relaxedWasm from "../../../wasm/train_relaxed.wasm.ts";
import { canRunWasm, compileWasm } from "../../host/wasm_source.ts";
import type { SimdBuild } from "../../runtime/simd/kernels.ts";

/** The functions of `wasm/assembly/train.ts` that the host calls; all take and return numbers. */
export interface TrainKernels {
  trainGradients(plan: number, start: number, end: number): number;
  trainBackward(plan: number, start: number, end: number, isKept: number): void;
  trainLogits(plan: number, start: number, end: number): void;
  trainStates(plan: number, start: number, end: number, block: number, out: number): void;
  repack(layer: number, weight: number, bias: number): void;
  reduceGradients(gradients: number, stride: number, threads: number, count: number): number;
  stepAdamW(
    settings: number,
    p: number,
    g: number,
    m: number,
    v: number,
    average: number,
    count: number,
    learningRate: number,
    weightDecay: number,
  ): void;
  mergeLora(
    frozen: number,
    a: number,
    b: number,
    outputs: number,
    inputs: number,
    rank: number,
    scale: number,
    weight: number,
  ): void;
  loraGradients(
    dWeight: number,
    a: number,
    b: number,
    outputs: number,
    inputs: number,
    rank: number,
    scale: number,
    dA: number,
    dB: number,
  ): void;
  applyRows(
    layer: number,
    x: number,
    stride: number,
    start: number,
    end: number,
    y: number,
    yStride: number,
    scratch: number,
  ): void;
  inputGradientRows(
    layer: number,
    dy: number,
    stride: number,
    start: number,
    end: number,
    dx: number,
    dxStride: number,
    scratch: number,
  ): void;
  outputGradients(
    layer: number,
    dy: number,
    dyStride: number,
    x: number,
    xStride: number,
    rows: number,
    start: number,
    end: number,
    scratch: number,
  ): void;
  activateColumns(
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
  activateColumnsBackward(
    norm: number,
    x: number,
    stride: number,
    rows: number,
    start: number,
    end: number,
    mean: number,
    scale: number,
    out: number,
    d: number,
  ): void;
  l2Normalize(
    x: number,
    stride: number,
    start: number,
    end: number,
    width: number,
    out: number,
    scales: number,
  ): void;
  l2NormalizeBackward(
    y: number,
    stride: number,
    start: number,
    end: number,
    width: number,
    scales: number,
    dy: number,
    dx: number,
  ): void;
  msnLoss(loss: number): void;
  clear(place: number, bytes: number): void;
  freeMemory(): number;
}

/** A call of a kernel: its name and arguments. */
export type Call = {
  [N in keyof TrainKernels]: readonly [N, ...Parameters<TrainKernels[N]>];
}[keyof TrainKernels];

/** The fastest build of the training kernels that this host can run. */
export function bestTrainBuild(): SimdBuild {
  return canRunWasm(relaxedWasm) ? "relaxed" : "plain";
}

/** Compiles the training kernels. */
export function trainModule(build: SimdBuild): WebAssembly.Module {
  return compileWasm(build === "relaxed" ? relaxedWasm : plainWasm);
}

/** The kernels on a memory. */
export function instantiateTrain(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): TrainKernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TrainKernels;
}

/**
 * Makes calls in their order; returns their results, 0 for none.
 *
 * @param onCall is called after each.
 */
export function makeCalls(
  kernels: TrainKernels,
  calls: readonly Call[],
  onCall: () => void = () => {},
): number[] {
  return calls.map(([name, ...args]) => {
    const kernel = kernels[name] as (...args: readonly number[]) => number | void;
    const result = kernel(...args) ?? 0;
    onCall();
    return result;
  });
}
