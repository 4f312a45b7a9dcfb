import { nodeBuiltin } from "./node_builtin.ts";

/**
 * What has workers in Node.js itself. Other hosts have this module without threads behind it, or, as Deno
 * and Bun, the web's `Worker`.
 */
function nodeThreads() {
  // Node.js 20 has no `navigator`.
  const { userAgent = "Node.js" } = (globalThis.navigator ?? {}) as Partial<Navigator>;
  return userAgent.startsWith("Node.js") ? nodeBuiltin("node:worker_threads") : undefined;
}

/** Whether threads can be started here: not on Cloudflare Workers, nor in a Supabase function. */
export function canStartWorkers(): boolean {
  return typeof Worker !== "undefined" || nodeThreads() !== undefined;
}

/**
 * Starts a module in a thread of Node.js, which has no global `Worker`. The result has of the web's
 * `Worker` what this project uses: `postMessage`, `onmessage`, `onerror`, `onmessageerror` and
 * `terminate`. Where `Worker` exists, write `new Worker(new URL("./worker.ts", import.meta.url), …)`
 * beside the call: bundlers look for this text.
 *
 * @param path of the module, relative to `base`.
 * @param base the caller's `import.meta.url`.
 * @throws {Error} if the host has no threads.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { nodeWorker } from "./node_worker.ts";
 *
 * // Deno has the web's workers.
 * assertThrows(() => nodeWorker("./worker.ts", import.meta.url), Error, "this host has no threads");
 * ```
 */
export function nodeWorker(path: string, base: string): Worker {
  const threads = nodeThreads();
  if (!threads) throw new Error("Cannot start a worker: this host has no threads");
  const thread = new threads.Worker(new URL(path, base));
  const worker = thread as unknown as Worker;
  thread.on("message", (data) => worker.onmessage?.({ data } as MessageEvent));
  thread.on("messageerror", () => worker.onmessageerror?.({} as MessageEvent));
  thread.on(
    "error",
    ({ message }) => worker.onerror?.({ message, preventDefault() {} } as ErrorEvent),
  );
  return worker;
}
