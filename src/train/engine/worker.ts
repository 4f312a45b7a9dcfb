// One thread of training: makes the calls that it is sent, and answers with their results.

import { workerScope } from "../../host/worker_scope.ts";
import { type Call, instantiateTrain, makeCalls, type TrainKernels } from "./kernels.ts";

/** What the worker is sent: first the kernels, then calls. */
export type TrainRequest =
  | {
    readonly module: WebAssembly.Module;
    readonly memory: WebAssembly.Memory;
    /** The i32 that the worker increases after each call, and kernels meanwhile; absent if nobody looks. */
    readonly progress: number | undefined;
  }
  | { readonly calls: readonly Call[] };

/** What it answers. */
export interface TrainReply {
  readonly results: readonly number[];
}

const scope = workerScope<TrainRequest, TrainReply>();
let kernels: TrainKernels | undefined;
let onCall = () => {};

scope.onmessage = ({ data }) => {
  if ("module" in data) {
    const { module, memory, progress } = data;
    kernels = instantiateTrain(module, memory);
    if (progress !== undefined) {
      const counter = new Int32Array(memory.buffer, progress, 1);
      onCall = () => Atomics.add(counter, 0, 1);
    }
    scope.postMessage({ results: [] });
  } else scope.postMessage({ results: makeCalls(kernels!, data.calls, onCall) });
};
