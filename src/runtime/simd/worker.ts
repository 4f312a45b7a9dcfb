// One thread of a pool: computes its share of each run and reports when it is done.

import { type DotProduct, instantiate, type Kernels } from "./kernels.ts";

/** What kernels are instantiated from. */
export interface KernelSource {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly dotProduct: DotProduct;
}

/** What is sent to the worker: first the kernels and the memory, then runs. */
export type PoolRequest =
  | KernelSource
  | { readonly forward: Parameters<Kernels["forward"]> };

/** What it answers: nothing but that it is done, or that the others were lost. */
export interface PoolReply {
  readonly isDone: boolean;
}

/** A worker's global scope, as far as it is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<PoolRequest>) => void;
  postMessage(reply: PoolReply): void;
}

const scope = globalThis as unknown as WorkerScope;
let kernels: Kernels | undefined;

scope.onmessage = ({ data }) => {
  if ("module" in data) {
    kernels = instantiate(data.module, data.memory, data.dotProduct);
    scope.postMessage({ isDone: true });
  } else scope.postMessage({ isDone: kernels!.forward(...data.forward) === 1 });
};
