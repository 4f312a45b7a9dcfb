import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { Duplex } from "node:stream";

/** The size of a read from the network, in bytes. */
const READ_BYTES = 16_384;

/** The time and the bytes for which a closing connection reads on, so that its client gets the answer. */
const LINGER_MILLISECONDS = 1000;
const LINGER_BYTES = 4_000_000;

/** A client's TCP connection as a stream for `node:http`, with the times that its timeouts need. */
export class Connection extends Duplex {
  readonly #tcp: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #reading: Promise<number | null> = Promise.resolve(null);
  #isClosed = false;

  /** The current request; undefined between two requests. */
  request: IncomingMessage | undefined;
  /** When the wait for the next request began, or its first byte arrived (`performance.now`). */
  waitingSince = performance.now();
  /** Whether a part of the next request's head has arrived. */
  hasPartialHead = false;
  /** The number of requests so far. */
  requests = 0;
  /** When bytes last arrived. */
  lastRead = performance.now();
  /** The bytes received. */
  bytesRead = 0;
  /** When the pending write began. */
  writingSince: number | undefined;

  /** Takes an accepted connection over. */
  constructor(tcp: Deno.TcpConn) {
    super({ allowHalfOpen: true, readableHighWaterMark: READ_BYTES });
    this.#tcp = tcp;
    this.once("finish", () => this.destroy()); // the response is complete
    // The client has closed its side: an incomplete request stays incomplete.
    this.once("end", () => this.isWaiting && this.destroy());
  }

  /** Whether closing it loses no work: no request is complete. */
  get isWaiting(): boolean {
    return !this.request?.complete;
  }

  /** Called when a request's head has arrived. */
  beginRequest(request: IncomingMessage): void {
    this.request = request;
    this.hasPartialHead = false;
    this.requests++;
  }

  /** Called when a request's answer is written. */
  endRequest(request: IncomingMessage): void {
    if (this.request !== request) return; // the next request has begun
    this.request = undefined;
    this.waitingSince = performance.now();
  }

  /** `node:http` calls it between two requests; the server has its own timeouts. */
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
      // A copy, so that a single byte does not keep the whole buffer.
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
   * Closes the connection. A client that is still sending would lose the answer then: TCP answers
   * later data with a reset.
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
