import { deadline } from "@std/async/deadline";
import type { ListenOptions } from "./listen.ts";

/** How {@linkcode runServer} runs. */
export interface RunOptions extends ListenOptions {
  /** Gets to know when the server listens, and how it ends. */
  readonly log?: (message: string) => void;
  /** Resolves when the server is to end; default is at SIGINT or SIGTERM. */
  readonly stopped?: Promise<unknown>;
}

/** The time that requests in progress have to finish at shutdown, in milliseconds. */
export const SHUTDOWN_TIMEOUT = 10_000;

/** Hosts of functions end a process 5 s after their signal. */
const MANAGED_SHUTDOWN_TIMEOUT = 4000;

/**
 * Serves until a signal comes, and then until what has begun is done. Where the host accepts connections
 * itself (bundles for it have no `Deno.listen`), `Deno.serve` takes them from there.
 *
 * @returns whether everything that had begun was done in time.
 * @throws {Deno.errors.AddrInUse} or another error of `Deno.listen`.
 */
export async function runServer(
  handler: (request: Request) => Promise<Response>,
  options: RunOptions,
): Promise<boolean> {
  return await (typeof Deno.listen === "function" ? runOwn : runManaged)(handler, options);
}

async function runOwn(
  handler: (request: Request) => Promise<Response>,
  { log = () => {}, stopped, ...options }: RunOptions,
): Promise<boolean> {
  // Clients can connect while the server is being loaded.
  const listener = Deno.listen(options);
  const { hostname, port } = listener.addr;
  log(`listening on http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`);
  const ended = stopped ?? signal();
  const { HttpServer } = await import("./listen.ts");
  const server = new HttpServer(handler, listener, options.limits);
  await ended;
  log("finishing what has begun");
  const inTime = await server.shutdown(SHUTDOWN_TIMEOUT);
  if (!inTime) log("some requests were not done in time");
  return inTime;
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export async function signal(): Promise<void> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  let resolve = () => {};
  await new Promise<void>((done) => {
    resolve = done;
    for (const name of signals) Deno.addSignalListener(name, resolve);
  });
  for (const name of signals) Deno.removeSignalListener(name, resolve);
}

async function runManaged(
  handler: (request: Request) => Promise<Response>,
  { hostname, port }: ListenOptions,
): Promise<boolean> {
  let active = 0;
  let idle = () => {};
  const counting = async (request: Request): Promise<Response> => {
    active++;
    try {
      return await handler(request);
    } finally {
      if (--active === 0) idle();
    }
  };
  const server = Deno.serve({ hostname, port }, counting);
  await signal();
  // shutdown() itself would cut uploads off.
  const finished = new Promise<void>((resolve) => {
    idle = resolve;
    if (active === 0) resolve();
  });
  const inTime = await deadline(finished, MANAGED_SHUTDOWN_TIMEOUT).then(() => true, () => false);
  await server.shutdown();
  return inTime;
}
