import { Connection } from "./connection.ts";

/** How connections are limited. */
export interface ConnectionLimits {
  /** Connections at a time; for one more, the one is closed that keeps its request to itself for longest. */
  readonly maxConnections: number;
  /** For a request's head to come in full, in milliseconds. */
  readonly headTimeout: number;
  /** Between two requests on a connection, in milliseconds. */
  readonly idleTimeout: number;
  /** For a client to take the next bytes of its answer, in milliseconds. */
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

/** Files that the process keeps for itself once it has met the system's limit. */
const RESERVED_FILES = 16;

/** The connections of a server. It limits their number and every wait. */
export class Connections implements Disposable {
  readonly #limits: ConnectionLimits;
  readonly #open = new Set<Connection>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #maxConnections: number;
  /** Gets to know when the last one is closed. */
  #onEmpty = () => {};

  /** Begins to look after them. */
  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
    this.#maxConnections = limits.maxConnections;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL);
  }

  /**
   * Takes an accepted connection in. If there are as many as may be, another makes room: one between two
   * requests or, failing that, the one whose request has come least far of late.
   *
   * @returns `undefined` if all are busy with whole requests.
   */
  add(tcp: Deno.TcpConn): Connection | undefined {
    if (this.#open.size >= this.#maxConnections && !this.#evict()) return undefined;
    const connection = new Connection(tcp);
    this.#open.add(connection);
    connection.once("close", () => {
      this.#open.delete(connection);
      if (this.#open.size === 0) this.#onEmpty();
    });
    connection.on("error", () => {}); // its request has failed with it, or there was none
    return connection;
  }

  /** The system has no file left for one more: from now on there are fewer. */
  shrink(): void {
    this.#maxConnections = Math.max(
      1,
      Math.min(this.#maxConnections, this.#open.size) - RESERVED_FILES,
    );
    while (this.#open.size > this.#maxConnections && this.#evict());
  }

  /** Closes those between two requests; the others may finish theirs. */
  closeIdle(): void {
    for (const connection of this.#open) {
      if (!connection.request && !connection.hasPartialHead) connection.destroy();
    }
  }

  /** Resolves when there is none. */
  async empty(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#onEmpty = resolve);
  }

  /** Closes all of them. */
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
