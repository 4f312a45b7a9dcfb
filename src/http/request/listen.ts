import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Problem, problemBytes, problemResponse } from "../problem.ts";
import { type ConnectionLimits, Connections, DEFAULT_CONNECTION_LIMITS } from "./connections.ts";
import type { Connection } from "./connection.ts";
import { toRequest, writeResponse } from "./node_request.ts";

/** Options of listening. */
export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whether other threads listen on the same port; the system distributes the connections (Linux). */
  readonly reusePort?: boolean;
  /** Limits that differ from {@linkcode DEFAULT_CONNECTION_LIMITS}. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** The delay before idle connections are closed at shutdown, in milliseconds: a request may be arriving. */
const LAST_CALL = 100;

/** The delay after a failed accept, in milliseconds. */
const ACCEPT_DELAY = 50;

/**
 * An HTTP/1.1 server for a function from requests to responses. `Deno.serve` does not limit connections: it
 * keeps all of them for any time, and ends the process when no file is left for one more. Here they are
 * accepted one by one and limited, and `node:http` reads and writes them.
 */
export class HttpServer {
  readonly #handler: (request: Request) => Promise<Response>;
  readonly #listener: Deno.TcpListener;
  readonly #connections: Connections;
  readonly #http: Server;
  #isClosing = false;

  /**
   * Starts to accept connections.
   *
   * @param handler never rejects.
   * @param listener closed at shutdown.
   */
  constructor(
    handler: (request: Request) => Promise<Response>,
    listener: Deno.TcpListener,
    limits: Partial<ConnectionLimits> = {},
  ) {
    this.#handler = handler;
    this.#listener = listener;
    const all = { ...DEFAULT_CONNECTION_LIMITS, ...limits };
    this.#connections = new Connections(all);
    // Its own timeouts are for the sockets that it accepts itself.
    this.#http = createServer({ keepAliveTimeout: all.idleTimeout, requestTimeout: 0 });
    // Without a port of its own, it would close every connection after its first answer.
    Object.defineProperty(this.#http, "listening", { get: () => !this.#isClosing });
    // A client may close its side when it has sent a request.
    Object.assign(this.#http, { httpAllowHalfOpen: true });
    this.#http.on("request", (message, reply) => void this.#answer(message, reply));
    this.#http.on("clientError", refuseMalformed);
    void this.#accept();
  }

  /**
   * Accepts no more connections and finishes the requests in progress.
   *
   * @param timeout the most time for that, in milliseconds; then the remaining connections are closed.
   * @returns whether all requests finished in time.
   */
  async shutdown(timeout: number): Promise<boolean> {
    this.#isClosing = true;
    this.#listener.close();
    await delay(LAST_CALL);
    this.#connections.closeIdle();
    const inTime = await deadline(this.#connections.empty(), timeout).then(() => true, () => false);
    this.#connections[Symbol.dispose]();
    return inTime;
  }

  async #accept(): Promise<void> {
    while (!this.#isClosing) {
      try {
        this.#take(await this.#listener.accept());
      } catch (error) {
        if (this.#isClosing) return;
        if (isOutOfFiles(error)) this.#connections.shrink();
        await delay(ACCEPT_DELAY);
      }
    }
  }

  #take(tcp: Deno.TcpConn): void {
    try {
      tcp.setNoDelay(true); // a second piece of an answer would wait for the client's acknowledgement
    } catch {
      tcp.close(); // the client has gone already
      return;
    }
    const connection = this.#connections.add(tcp);
    if (connection) this.#http.emit("connection", connection);
    else void refuseBusy(tcp);
  }

  async #answer(message: IncomingMessage, reply: ServerResponse): Promise<void> {
    const connection = message.socket as unknown as Connection;
    connection.beginRequest(message);
    const abort = new AbortController();
    reply.once("close", () => {
      connection.endRequest(message);
      if (!reply.writableFinished) abort.abort();
      if (this.#isClosing) this.#connections.closeIdle();
    });
    try {
      const response = await this.#respond(message, abort.signal);
      // The rest of an unwanted body is not read.
      await writeResponse(response, reply, this.#isClosing || !message.complete);
    } catch {
      reply.destroy(); // the client has gone
    }
  }

  async #respond(message: IncomingMessage, signal: AbortSignal): Promise<Response> {
    try {
      return await this.#handler(toRequest(message, signal));
    } catch (error) {
      if (error instanceof Problem) return problemResponse(error, "problem");
      throw error;
    }
  }
}

/** Whether the process, or the system, has no file left for one more connection. */
function isOutOfFiles(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EMFILE" || code === "ENFILE";
}

/** Answers what is not HTTP. */
function refuseMalformed(error: Error & { code?: string }, socket: unknown): void {
  const connection = socket as Connection;
  // In the middle of another answer, this one would only confuse its client.
  if (!connection.writable || connection.writingSince !== undefined) {
    connection.destroy();
    return;
  }
  const problem = error.code === "HPE_HEADER_OVERFLOW"
    ? new Problem(431, "The request's head is too long")
    : new Problem(400, "The request is not HTTP/1.1");
  connection.end(problemBytes(problem));
}

/** Turns a client away when all connections are at work. */
async function refuseBusy(tcp: Deno.TcpConn): Promise<void> {
  const problem = new Problem(503, "Too many connections are open; try again later", {
    "retry-after": "1",
  });
  try {
    await tcp.write(problemBytes(problem));
  } catch {
    // gone
  } finally {
    tcp.close();
  }
}
