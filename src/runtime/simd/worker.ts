// One thread of a team: it does its share of what it is told, and says so.

import { instantiate, type Kernels } from "./kernels.ts";

/** What is sent to the worker: first the kernels and the memory, then runs. */
export type TeamRequest =
  | { readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory }
  | { readonly forward: Parameters<Kernels["forward"]> };

/** What it answers: nothing but that it is done, or that the others were lost. */
export interface TeamReply {
  readonly isDone: boolean;
}

/** A worker's global scope, as far as it is used here. */
interface WorkerScope {
  onmessage: (event: MessageEvent<TeamRequest>) => void;
  postMessage(reply: TeamReply): void;
}

const scope = globalThis as unknown as WorkerScope;
let kernels: Kernels | undefined;

scope.onmessage = ({ data }) => {
  if ("module" in data) {
    kernels = instantiate(data.module, data.memory);
    scope.postMessage({ isDone: true });
  } else scope.postMessage({ isDone: kernels!.forward(...data.forward) === 1 });
};
