import { concat } from "@std/bytes/concat";
import type { Deadline } from "./deadline.ts";
import { Problem } from "./problem.ts";

/** Counts the bytes of all request bodies that are in memory at a time. */
export class BodyMemory {
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param maxBytes of all bodies together. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes note of bytes that were read.
   *
   * @throws {Problem} 429 if they are too many together with those of other requests.
   */
  hold(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes) {
      throw new Problem(429, "Too much is being uploaded at the moment; try again later", {
        "retry-after": "1",
      });
    }
    this.#bytes += bytes;
  }

  /** Takes note that they are not needed any more. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** A request's body, which counts as memory in use until it is disposed of. */
export interface HeldBody extends Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a request's body. What the client says of its length is but a hint: bytes are counted as they
 * come.
 *
 * @throws {Problem} 413 if it is longer than `maxBytes`, 408 if it does not come before the deadline,
 * 400 if it breaks off, 429 if all bodies together take too much memory.
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  memory: BodyMemory,
  deadline: Deadline,
): Promise<HeldBody> {
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  try {
    while (reader) {
      const { done, value } = await deadline.wait(nextChunk(reader), tooSlow);
      if (done) break;
      if (length + value.length > maxBytes) throw tooLarge(maxBytes);
      memory.hold(value.length);
      length += value.length;
      chunks.push(value);
    }
  } catch (error) {
    memory.release(length);
    reader?.cancel().catch(() => {}); // the client may be gone
    throw error;
  }
  return { bytes: concat(chunks), [Symbol.dispose]: () => memory.release(length) };
}

async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch {
    throw new Problem(400, "The request's body breaks off");
  }
}

function tooLarge(maxBytes: number): Problem {
  // Clients stop sending then; what one sends nevertheless, the server reads and drops.
  return new Problem(413, `The request's body has more than ${maxBytes} bytes`, {
    connection: "close",
  });
}

function tooSlow(): Problem {
  return new Problem(408, "The request's body did not come in time", { connection: "close" });
}
