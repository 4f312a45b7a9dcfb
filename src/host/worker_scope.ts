import { nodeBuiltin } from "./node_builtin.ts";

/** The members of a worker's global scope that this project uses. */
export interface WorkerScope<Request, Reply> {
  /** Takes each message. */
  onmessage: (event: Pick<MessageEvent<Request>, "data">) => void;
  /** Sends one. */
  postMessage(reply: Reply, transfer?: Transferable[]): void;
}

/**
 * Where a worker's module hears from those who started it: the global scope, or in Node.js the port that
 * a thread has.
 *
 * @example
 * ```ts ignore
 * import { workerScope } from "./worker_scope.ts"; // in a worker
 *
 * const scope = workerScope<number, number>();
 * scope.onmessage = ({ data }) => scope.postMessage(2 * data);
 * ```
 */
export function workerScope<Request, Reply>(): WorkerScope<Request, Reply> {
  const scope = "postMessage" in globalThis
    ? globalThis
    : nodeBuiltin("node:worker_threads")?.parentPort;
  return scope as unknown as WorkerScope<Request, Reply>;
}
