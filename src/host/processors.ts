import { nodeBuiltin } from "./node_builtin.ts";

/**
 * The number of processors that this host says to have; 1 if it does not say.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { processors } from "./processors.ts";
 *
 * assert(processors() >= 1);
 * ```
 */
export function processors(): number {
  // Node.js 20 has no `navigator`.
  return globalThis.navigator?.hardwareConcurrency ??
    nodeBuiltin("node:os")?.availableParallelism() ?? 1;
}
