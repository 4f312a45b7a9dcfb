import { concat } from "@std/bytes/concat";
import { send } from "../http/socket.ts";

/** A request as it goes over the wire, right or wrong. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  /** Chunks of so many bytes; without it, the body's length is declared. */
  readonly chunkSize?: number;
}

const encoder = new TextEncoder();

/** How long a server may take to answer, in milliseconds. */
const PATIENCE = 40_000;

/** A POST request with a body of JSON, text or bytes. */
export function post(
  path: string,
  body: Uint8Array | string | object,
  headers: Readonly<Record<string, string>> = {},
): RawRequest {
  const isJson = typeof body === "object" && !(body instanceof Uint8Array);
  const text = isJson ? JSON.stringify(body) : body;
  return {
    method: "POST",
    path,
    headers: Object.entries({
      ...(isJson ? { "content-type": "application/json" } : {}),
      ...headers,
    }),
    body: typeof text === "string" ? encoder.encode(text) : text as Uint8Array,
  };
}

/** A multipart form, with a part for each pair of a disposition and its content. */
export function form(
  path: string,
  parts: readonly (readonly [string, Uint8Array | string])[],
): RawRequest {
  const boundary = "a-boundary";
  const pieces = parts.flatMap(([disposition, content]) => [
    encoder.encode(`--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n`),
    typeof content === "string" ? encoder.encode(content) : content,
    encoder.encode("\r\n"),
  ]);
  const body = concat([...pieces, encoder.encode(`--${boundary}--\r\n`)]);
  return post(path, body, { "content-type": `multipart/form-data; boundary=${boundary}` });
}

/** The bytes of a request, head and body. */
export function requestBytes({ method, path, headers, body, chunkSize }: RawRequest): Uint8Array {
  const has = (name: string) => headers.some(([own]) => own.toLowerCase() === name);
  const all = [
    ...(has("host") ? [] : [["host", "localhost"] as const]),
    ...headers,
    ...(chunkSize !== undefined
      ? [["transfer-encoding", "chunked"] as const]
      : has("content-length") || body.length === 0 && method !== "POST"
      ? []
      : [["content-length", String(body.length)] as const]),
  ];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = encoder.encode(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`);
  return concat([head, chunkSize === undefined ? body : chunked(body, chunkSize)]);
}

function chunked(body: Uint8Array, size: number): Uint8Array {
  const count = Math.ceil(body.length / size);
  const bytes = new Uint8Array(body.length + count * 16 + 5);
  let length = 0;
  const put = (piece: Uint8Array) => {
    bytes.set(piece, length);
    length += piece.length;
  };
  const lineEnd = encoder.encode("\r\n");
  const fullHead = encoder.encode(`${size.toString(16)}\r\n`);
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    put(chunk.length === size ? fullHead : encoder.encode(`${chunk.length.toString(16)}\r\n`));
    put(chunk);
    put(lineEnd);
  }
  put(encoder.encode("0\r\n\r\n"));
  return bytes.subarray(0, length);
}

/**
 * Sends bytes on a connection of its own and waits for the first answer.
 *
 * @param isLast whether the client closes its side behind them; default no.
 * @returns its status and what was received of it, or 0 if the server closed without one.
 */
export async function exchange(
  port: number,
  bytes: Uint8Array,
  { isLast = false }: { isLast?: boolean } = {},
): Promise<{ status: number; text: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = setTimeout(() => connection.close(), PATIENCE);
  const sending = (async () => {
    await send(connection, bytes);
    if (isLast) await connection.closeWrite();
  })().catch(() => {}); // the server may have closed its side
  try {
    const text = await readAnswer(connection);
    return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
  } finally {
    clearTimeout(timer);
    try {
      connection.close(); // a write that waits ends with it
    } catch {
      // closed by the timer
    }
    await sending;
  }
}

async function readAnswer(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const read = await connection.read(buffer).catch(() => null);
    if (read === null) return text;
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
    if (text.startsWith("HTTP/1.1 100")) text = text.slice(text.indexOf("\r\n\r\n") + 4);
    const end = text.indexOf("\r\n\r\n");
    const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
    const isWhole = length === undefined || text.length - end - 4 >= Number(length);
    if (end !== -1 && (isWhole || text.length > 100_000)) return text;
  }
}
