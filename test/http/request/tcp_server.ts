import { assert, assertEquals } from "@std/assert";
import { HttpServer } from "../../../src/http/request/listen.ts";
import type { ConnectionLimits } from "../../../src/http/request/connections.ts";
import { service, SHIP } from "../service.ts";

export const LIMITS = { maxBodyBytes: 1_000_000, maxUploadBytes: 3_000_000, timeout: 2000 };
/** A request's time and what a busy machine adds to it. */
export const SOON = 5000;

export const encoder = new TextEncoder();

/** A service on a port of its own, and connections to it. */
export class Server implements AsyncDisposable {
  readonly #server: HttpServer;
  readonly port: number;

  constructor(limits: Partial<ConnectionLimits> = {}) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
    this.#server = new HttpServer(service({ limits: LIMITS }), listener, limits);
  }

  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
  }

  /** That it works, and holds nothing of what came before. */
  async assertWell(): Promise<void> {
    const url = `http://127.0.0.1:${this.port}/classify?top_k=1`;
    const response = await fetch(url, { method: "POST", body: SHIP });
    assertEquals((await response.json())[0]?.label, "ship");
    assertEquals(await this.metric("vit_msn_body_bytes"), 0);
    assertEquals(await this.metric("vit_msn_images_waiting"), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert(await this.#server.shutdown(SOON));
  }
}

export function head(...headers: string[]): Uint8Array {
  const lines = ["POST /classify?top_k=1 HTTP/1.1", "host: localhost", ...headers, "", ""];
  return encoder.encode(lines.join("\r\n"));
}

/** What comes of a server that may keep the connection, until an answer is whole. */
export async function readAnswer(connection: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const read = await connection.read(buffer).catch(() => null);
    if (read === null) return text;
    text += new TextDecoder().decode(buffer.subarray(0, read));
    const [head, body] = text.split("\r\n\r\n", 2) as [string, string | undefined];
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    if (body !== undefined && length !== undefined && body.length >= Number(length)) return text;
  }
}
