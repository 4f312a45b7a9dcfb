// simd/worker.ts, but it does not do what it is told, and says nothing.

import "../../src/runtime/simd/worker.ts";
import type { PoolRequest } from "../../src/runtime/simd/worker.ts";

const scope = globalThis as unknown as { onmessage: (event: MessageEvent<PoolRequest>) => void };
const answer = scope.onmessage;

scope.onmessage = (event) => {
  if ("module" in event.data) answer(event);
};
