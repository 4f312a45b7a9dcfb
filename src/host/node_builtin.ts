/** The modules of Node.js that this project uses; Deno and Bun have them, too. */
export interface NodeBuiltins {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:dns/promises": typeof import("node:dns/promises");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:fs/promises": typeof import("node:fs/promises");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  /** Node.js 22.13 and Deno 2.2; Bun lacks it. */
  readonly "node:sqlite": typeof import("node:sqlite");
  readonly "node:worker_threads": typeof import("node:worker_threads");
}

/**
 * Returns a built-in module of Node.js, where the host has it: Node.js 20.16, Deno and Bun. An import
 * would fail in browsers, and bundlers for browsers refuse it even where it is never reached.
 *
 * @returns `undefined` in browsers and Workers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nodeBuiltin } from "./node_builtin.ts";
 *
 * assertEquals(nodeBuiltin("node:path")?.posix.join("a", "b"), "a/b");
 * ```
 */
export function nodeBuiltin<Name extends keyof NodeBuiltins>(
  name: Name,
): NodeBuiltins[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as NodeBuiltins[Name] | undefined;
}
