import { nodeBuiltin, type NodeBuiltins } from "../host/node_builtin.ts";

/** The module `node:fs/promises`. */
export type FileSystem = NodeBuiltins["node:fs/promises"];

/** Whether the host has files: Node.js, Deno and Bun do, browsers and Workers do not. */
export function hasFileSystem(): boolean {
  return nodeBuiltin("node:fs/promises") !== undefined;
}

/**
 * Returns the host's file system.
 *
 * @throws {Error} in browsers and Workers.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { fileSystem } from "./file_system.ts";
 *
 * assert((await fileSystem().stat("README.md")).isFile());
 * ```
 */
export function fileSystem(): FileSystem {
  const fs = nodeBuiltin("node:fs/promises");
  if (!fs) throw new Error("Cannot read files: this host has no file system");
  return fs;
}
