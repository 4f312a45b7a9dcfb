// simd/worker.ts, but it breaks when it is to work.

import "../../src/runtime/simd/worker.ts";
import type { PoolRequest } from "../../src/runtime/simd/worker.ts";

const scope = globalThis as unknown as { onmessage: (event: MessageEvent<PoolRequest>) => void };
const answer = scope.onmessage;

scope.onmessage = (event) => {
  if ("forward" in event.data) throw new Error("the worker is broken");
  answer(event);
};
