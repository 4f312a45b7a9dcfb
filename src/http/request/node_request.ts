import type { IncomingMessage, ServerResponse } from "node:http";
import { malformedAddress, Problem } from "../problem.ts";
import type { Connection } from "./connection.ts";

/**
 * Bytes on the wire for each byte of a body, at most: chunks of 24 bytes and more have no more. Every chunk
 * is an object of its own, which takes hundreds of bytes.
 */
const MAX_BYTES_PER_BYTE = 1.25;

/** Added to the limit, in bytes, because node:http reads ahead. */
const READ_AHEAD = 40_000;

/**
 * A request of `node:http` as the web's.
 *
 * @param signal aborts when the client has gone.
 * @throws {Problem} 400 if its address is not valid.
 */
export function toRequest(message: IncomingMessage, signal: AbortSignal): Request {
  const { url = "", method = "GET", headers } = message;
  const origin = `http://${headers.host ?? "localhost"}`;
  const address = /^https?:\/\//i.test(url)
    ? url
    : origin + (url.startsWith("/") ? url : `/${url}`);
  if (!URL.canParse(address) || !URL.canParse(origin)) {
    throw malformedAddress();
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(address, {
    method,
    headers: [...headerPairs(message.rawHeaders)],
    signal,
    ...(hasBody ? { body: ReadableStream.from(bodyOf(message)) } : {}),
  });
}

/** @throws {Problem} 400 if its chunks are too small. */
async function* bodyOf(message: IncomingMessage): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const connection = message.socket as unknown as Connection;
  const before = connection.bytesRead;
  let length = 0;
  // The answer to a body that is too long is still to be written: its reader must not close the connection.
  for await (const bytes of message.iterator({ destroyOnReturn: false })) {
    length += bytes.length;
    if (connection.bytesRead - before > MAX_BYTES_PER_BYTE * length + READ_AHEAD) {
      throw new Problem(400, "The chunks of the request's body are too small");
    }
    yield bytes;
  }
}

/** Headers as they came, two entries each. */
function* headerPairs(rawHeaders: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < rawHeaders.length; i += 2) yield [rawHeaders[i]!, rawHeaders[i + 1]!];
}

/**
 * Writes a response, with its length.
 *
 * @param isLast whether the connection is to be closed behind it.
 */
export async function writeResponse(
  response: Response,
  reply: ServerResponse,
  isLast: boolean,
): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  reply.statusCode = response.status;
  for (const [name, value] of response.headers) reply.appendHeader(name, value);
  if (isLast) reply.setHeader("connection", "close");
  if (body.length > 0) reply.setHeader("content-length", body.length);
  reply.end(body);
}
