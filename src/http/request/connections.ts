import { Connection } from "./connection.ts";

/** The limits of connections. */
export interface ConnectionLimits {
  /** The most open connections. A further one closes the one whose request has made the least progress. */
  readonly maxConnections: number;
  /** The time for a request's head, in milliseconds. */
  readonly headTimeout: number;
  /** The time between two requests, in milliseconds. */
  readonly idleTimeout: number;
  /** The time for a client to take the next bytes of its answer, in milliseconds. */
  readonly writeTimeout: number;
}

/** Well below the 256 files that some systems allow a process, and more than a small host can serve at once. */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 200,
  headTimeout: 10_000,
  idleTimeout: 30_000,
  writeTimeout: 15_000,
};

/** The interval at which connections are checked, in milliseconds. */
const SWEEP_INTERVAL = 500;

/** Files that stay free for the process after it has met the system's limit. */
const RESERVED_FILES = 16;

/** The connections of a server. It limits their number and every wait. */
export class Connections implements Disposable {
  readonly #limits: ConnectionLimits;
  readonly #open = new Set<Connection>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #maxConnections: number;
  /** Called when the last one is closed. */
  #onEmpty = () => {};

  /** Starts the checks. */
  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
    this.#maxConnections = limits.maxConnections;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL);
  }

  /**
   * Adds an accepted connection. At the limit, another is closed: an idle one or else the one whose request
   * has made the least recent progress.
   *
   * @returns `undefined` if all have complete requests.
   */
  add(tcp: Deno.TcpConn): Connection | undefined {
    if (this.#open.size >= this.#maxConnections && !this.#evict()) return undefined;
    const connection = new Connection(tcp);
    this.#open.add(connection);
    connection.once("close", () => {
      this.#open.delete(connection);
      if (this.#open.size === 0) this.#onEmpty();
    });
    connection.on("error", () => {}); // its request, if any, has failed with it
    return connection;
  }

  /** Lowers the limit: the system has no file left for another connection. */
  shrink(): void {
    this.#maxConnections = Math.max(
      1,
      Math.min(this.#maxConnections, this.#open.size) - RESERVED_FILES,
    );
    while (this.#open.size > this.#maxConnections && this.#evict());
  }

  /** Closes idle connections; the others may finish. */
  closeIdle(): void {
    for (const connection of this.#open) {
      if (!connection.request && !connection.hasPartialHead) connection.destroy();
    }
  }

  /** Resolves when no connection is left. */
  async empty(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#onEmpty = resolve);
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    clearInterval(this.#sweeper);
    for (const connection of this.#open) connection.destroy();
  }

  #evict(): boolean {
    const waiting = [...this.#open].filter(({ isWaiting, destroyed }) => isWaiting && !destroyed);
    const [victim] = waiting.toSorted((a, b) =>
      Number(a.request !== undefined) - Number(b.request !== undefined) || a.lastRead - b.lastRead
    );
    victim?.destroy();
    if (victim) this.#open.delete(victim);
    return victim !== undefined;
  }

  #sweep(): void {
    const now = performance.now();
    const { headTimeout, idleTimeout, writeTimeout } = this.#limits;
    for (const connection of this.#open) {
      const { request, requests, hasPartialHead, waitingSince, writingSince } = connection;
      const timeout = hasPartialHead || requests === 0 ? headTimeout : idleTimeout;
      const isLate = !request && now - waitingSince > timeout;
      const isStuck = writingSince !== undefined && now - writingSince > writeTimeout;
      if (isLate || isStuck) connection.destroy();
    }
  }
}
