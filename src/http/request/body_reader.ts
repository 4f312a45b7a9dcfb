import { IS_WORKERD } from "../../host/workerd.ts";
import { discard } from "../../tensor/memory_pressure.ts";
import { Problem } from "../problem.ts";

/** Reads a request's body, chunk by chunk. */
export interface BodyReader extends Disposable {
  /**
   * Reads the next chunk, which is gone with the next call.
   *
   * @returns undefined at the end.
   * @throws {Problem} 400 if the body is cut off.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Ends the body; a pending read ends, too. */
  cancel(): void;
}

/** The size of the buffer under workerd, in bytes. */
const BUFFER = 65_536;

/**
 * Makes a reader of a body. Under workerd, all chunks are read into one buffer: workerd's own have 4 kB each, and
 * leave garbage faster than V8 collects it.
 */
export function bodyReader(body: ReadableStream<Uint8Array<ArrayBuffer>>): BodyReader {
  return IS_WORKERD ? sameBuffer(body) : ownBuffers(body);
}

function ownBuffers(body: ReadableStream<Uint8Array<ArrayBuffer>>): BodyReader {
  const reader = body.getReader();
  return {
    read: async () => (await unlessCutOff(reader.read())).value,
    cancel: () => void reader.cancel().catch(() => {}),
    [Symbol.dispose]() {},
  };
}

function sameBuffer(body: ReadableStream<Uint8Array<ArrayBuffer>>): BodyReader {
  const reader = body.getReader({ mode: "byob" });
  let chunk = new Uint8Array(BUFFER);
  return {
    async read() {
      // A read takes the buffer away and gives it back.
      const { done, value } = await unlessCutOff(reader.read(new Uint8Array(chunk.buffer)));
      if (value) chunk = value;
      return done ? undefined : value;
    },
    cancel: () => void reader.cancel().catch(() => {}),
    [Symbol.dispose]: () => discard(chunk),
  };
}

async function unlessCutOff<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw error instanceof Problem ? error : new Problem(400, "The request's body breaks off");
  }
}
