// One thread of training: makes the calls that it is sent, and answers with their results.

import { type Call, instantiateTrain, makeCalls, type TrainKernels } from "./kernels.ts";

/** What the worker is sent: first the kernels, then calls. */
export type TrainRequest =
  | { readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory }
  | { readonly calls: readonly Call[] };

/** What it answers. */
export interface TrainReply {
  readonly results: readonly number[];
}

/** A worker's global scope, as far as it is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<TrainRequest>) => void;
  postMessage(reply: TrainReply): void;
}

const scope = globalThis as unknown as WorkerScope;
let kernels: TrainKernels | undefined;

scope.onmessage = ({ data }) => {
  if ("module" in data) {
    kernels = instantiateTrain(data.module, data.memory);
    scope.postMessage({ results: [] });
  } else scope.postMessage({ results: makeCalls(kernels!, data.calls) });
};
