import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";

/** How much is read from the network at a time, in bytes. */
const READ_BYTES = 16_384;

/** How long, and how much, a connection that is being closed reads on, so that its client gets the answer. */
const LINGER_MILLISECONDS = 1000;
const LINGER_BYTES = 4_000_000;

/** A client's TCP connection as a stream for `node:http`, and what the server must know to time it out. */
export class Connection extends Duplex {
  readonly #tcp: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #reading: Promise<number | null> = Promise.resolve(null);
  #isClosed = false;

  /** The request that is being read or answered; between two requests there is none. */
  request: IncomingMessage | undefined;
  /** When the wait for the next request began, or its first byte came (`performance.now`). */
  waitingSince = performance.now();
  /** Whether a part of the next request's head is here. */
  hasPartialHead = false;
  /** How many requests have begun on it. */
  requests = 0;
  /** When bytes came last. */
  lastRead = performance.now();
  /** How many have come. */
  bytesRead = 0;
  /** When the write began that is under way. */
  writingSince: number | undefined;

  /** Takes an accepted connection over. */
  constructor(tcp: Deno.TcpConn) {
    super({ allowHalfOpen: true, readableHighWaterMark: READ_BYTES });
    this.#tcp = tcp;
    this.once("finish", () => this.destroy()); // the response is complete
    // The client has closed its side: what is not here in full will never be.
    this.once("end", () => this.isWaiting && this.destroy());
  }

  /** Whether it could be closed without losing work: no request is here in full. */
  get isWaiting(): boolean {
    return !this.request?.complete;
  }

  /** A request's head is here. */
  beginRequest(request: IncomingMessage): void {
    this.request = request;
    this.hasPartialHead = false;
    this.requests++;
  }

  /** Its answer has been written. */
  endRequest(request: IncomingMessage): void {
    if (this.request !== request) return; // the next one is here already
    this.request = undefined;
    this.waitingSince = performance.now();
  }

  /** `node:http` sets it between two requests; the server times connections out by itself. */
  setTimeout(): this {
    return this;
  }

  override _read(): void {
    void this.#readSome();
  }

  async #readSome(): Promise<void> {
    try {
      this.#reading = this.#tcp.read(this.#buffer);
      const length = await this.#reading;
      if (this.destroyed) return;
      if (length === null) {
        this.push(null);
        return;
      }
      this.lastRead = performance.now();
      this.bytesRead += length;
      if (!this.request && !this.hasPartialHead) {
        this.hasPartialHead = true;
        this.waitingSince = this.lastRead;
      }
      // A copy of its own size: what keeps one byte must not keep the whole buffer.
      this.push(Buffer.from(this.#buffer.slice(0, length).buffer));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.writingSince = performance.now();
    this.#writeAll(chunk).then(() => done(), done);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#tcp.write(bytes.subarray(at));
      this.writingSince = performance.now();
    }
    this.writingSince = undefined;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#tcp.closeWrite().then(() => done(), () => done());
  }

  /**
   * Closes the connection. A client that is still sending would lose the answer if that happened at once: TCP
   * answers what comes after with a reset.
   */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isAnswered = !error && this.writableFinished && !this.readableEnded;
    if (isAnswered) void this.#linger().finally(() => this.#close(done, error));
    else this.#close(done, error);
  }

  async #linger(): Promise<void> {
    const timer = setTimeout(() => this.#closeTcp(), LINGER_MILLISECONDS);
    try {
      let dropped = await this.#reading ?? LINGER_BYTES;
      while (dropped < LINGER_BYTES) dropped += await this.#tcp.read(this.#buffer) ?? LINGER_BYTES;
    } catch {
      // closed by the client or by the timer
    } finally {
      clearTimeout(timer);
    }
  }

  #close(done: (error?: Error | null) => void, error: Error | null): void {
    this.#closeTcp();
    done(error);
  }

  #closeTcp(): void {
    if (!this.#isClosed) this.#tcp.close();
    this.#isClosed = true;
  }
}
