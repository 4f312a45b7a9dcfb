// What tests do with a bare connection to a server.

/** Writes all of it. */
export async function send(connection: Deno.TcpConn, bytes: Uint8Array | string): Promise<void> {
  const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  for (let at = 0; at < data.length;) at += await connection.write(data.subarray(at));
}

/** All that comes until the server closes; a reset is an end, too. */
export async function readAll(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of connection.readable) text += decoder.decode(chunk, { stream: true });
  } catch {
    // reset
  }
  return text;
}

/** A port of the loopback interface that nobody uses. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
