import { canStartWorkers } from "./node_worker.ts";

/**
 * Whether workers can compute on the caller's memory here. Browsers allow it only to pages that are
 * isolated from other origins (`crossOriginIsolated`), which takes the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { canShareMemory } from "./can_share_memory.ts";
 *
 * assert(canShareMemory()); // in Deno
 * ```
 */
export function canShareMemory(): boolean {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return crossOriginIsolated !== false && canStartWorkers();
}
