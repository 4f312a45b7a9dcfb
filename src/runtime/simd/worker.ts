// One thread of a pool: computes its share of each run and reports when it is done.

import { workerScope } from "../../host/worker_scope.ts";
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

const scope = workerScope<PoolRequest, PoolReply>();
let kernels: Kernels | undefined;

scope.onmessage = ({ data }) => {
  if ("module" in data) {
    kernels = instantiate(data.module, data.memory, data.dotProduct);
    scope.postMessage({ isDone: true });
  } else scope.postMessage({ isDone: kernels!.forward(...data.forward) === 1 });
};
