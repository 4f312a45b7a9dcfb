import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "../problem.ts";

/**
 * A request of `node:http` as the web's.
 *
 * @param signal aborts when the client has gone.
 * @throws {Problem} 400 if its address is none.
 */
export function toRequest(message: IncomingMessage, signal: AbortSignal): Request {
  const { url = "", method = "GET", headers } = message;
  const origin = `http://${headers.host ?? "localhost"}`;
  const address = /^https?:\/\//i.test(url)
    ? url
    : origin + (url.startsWith("/") ? url : `/${url}`);
  if (!URL.canParse(address) || !URL.canParse(origin)) {
    throw new Problem(
      400,
      "The request's address is malformed: its Host header or its path",
    );
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  // The answer to a body that is too long is still to be written: the reader must not close the connection.
  const body = message.iterator({ destroyOnReturn: false }) as AsyncIterable<
    Uint8Array<ArrayBuffer>
  >;
  return new Request(address, {
    method,
    headers: [...headerPairs(message.rawHeaders)],
    signal,
    ...(hasBody ? { body: ReadableStream.from(body) } : {}),
  });
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
