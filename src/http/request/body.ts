import type { Deadline } from "../deadline.ts";
import type { ServerLimits } from "../limits.ts";
import { discard } from "../../tensor/memory_pressure.ts";
import { Problem } from "../problem.ts";
import type { BodyMemory, HeldMemory } from "./body_memory.ts";
import { bodyReader } from "./body_reader.ts";

/** A request's body, which counts as memory in use until it is disposed of. */
export interface HeldBody extends Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The limits of a single body. */
export type BodyLimits = Pick<ServerLimits, "maxBodyBytes" | "uploadTimeout" | "minUploadRate">;

/** The initial size of the buffer in bytes; it doubles when it is full. */
const FIRST_BUFFER = 65_536;

/** The period over which the rate of an upload is measured, in milliseconds. */
const RATE_INTERVAL = 2000;

/**
 * Reads a request's body. The declared length is only a hint: bytes are counted as they arrive. They are
 * copied out of the chunks, because a chunk may keep much more memory than it has bytes.
 *
 * @throws {Problem} 413 if it is longer than the limit, 408 if it arrives too slowly, 400 if it is cut off,
 * 429 if all bodies together take too much memory.
 */
export async function readBody(
  request: Request,
  limits: BodyLimits,
  memory: BodyMemory,
  deadline: Deadline,
): Promise<HeldBody> {
  const { maxBodyBytes } = limits;
  const declared = Number(request.headers.get("content-length") ?? NaN);
  if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
  using reader = request.body ? bodyReader(request.body) : undefined;
  let problem: Problem | undefined;
  const stop = (reason: Problem) => {
    problem ??= reason;
    reader?.cancel(); // the client may have gone; a pending read ends
  };
  const held = memory.begin(stop);
  let bytes = new Uint8Array(0);
  let length = 0;
  const watch = watchRate(limits, deadline, () => length, stop);
  try {
    while (reader) {
      const value = await reader.read();
      if (problem) throw problem;
      if (!value) break;
      if (length + value.length > maxBodyBytes) throw tooLarge(maxBodyBytes);
      bytes = withRoom(bytes, length, value.length, declared || maxBodyBytes, held);
      bytes.set(value, length);
      length += value.length;
    }
  } catch (error) {
    held[Symbol.dispose]();
    discard(bytes);
    if (error instanceof Problem) stop(error);
    throw error;
  } finally {
    watch[Symbol.dispose]();
  }
  held.complete();
  return {
    bytes: bytes.subarray(0, length),
    [Symbol.dispose]() {
      held[Symbol.dispose]();
      discard(bytes);
    },
  };
}

/** The buffer, or a larger one with the same `length` bytes in it. */
function withRoom(
  buffer: Uint8Array<ArrayBuffer>,
  length: number,
  more: number,
  expected: number,
  held: HeldMemory,
): Uint8Array<ArrayBuffer> {
  const needed = length + more;
  if (needed <= buffer.length) return buffer;
  const size = Math.max(needed, Math.min(Math.max(2 * buffer.length, FIRST_BUFFER), expected));
  held.grow(size - buffer.length);
  const larger = new Uint8Array(size);
  larger.set(buffer.subarray(0, length));
  discard(buffer);
  return larger;
}

/** Stops an upload that takes too long or is too slow. */
function watchRate(
  { uploadTimeout, minUploadRate }: BodyLimits,
  deadline: Deadline,
  length: () => number,
  stop: (problem: Problem) => void,
): Disposable {
  const end = performance.now() + Math.min(uploadTimeout, deadline.remaining);
  let before = 0;
  let wasSlow = false;
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    const isSlow = length() - before < minUploadRate * RATE_INTERVAL / 1000;
    before = length();
    // Twice in a row: a busy model may have kept this thread from reading for as long as one interval.
    if (isSlow && wasSlow || performance.now() >= end) stop(tooSlow());
    else wait();
    wasSlow = isSlow;
  };
  const wait = () => {
    timer = setTimeout(look, Math.max(0, Math.min(RATE_INTERVAL, end - performance.now())));
  };
  wait();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(413, `The request's body has more than ${maxBytes} bytes`, {
    connection: "close",
  });
}

function tooSlow(): Problem {
  return new Problem(408, "The request's body did not come in time", { connection: "close" });
}
