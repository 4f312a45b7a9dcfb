// What clients do on their sockets that no client should.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HttpServer } from "../../../src/http/request/listen.ts";
import type { ConnectionLimits } from "../../../src/http/request/connections.ts";
import { service, SHIP } from "../service.ts";
import { readAll, send } from "../socket.ts";

const LIMITS = { maxBodyBytes: 1_000_000, maxUploadBytes: 3_000_000, timeout: 2000 };
/** A request's time and what a busy machine adds to it. */
const SOON = 5000;

const encoder = new TextEncoder();

/** A service on a port of its own, and connections to it. */
class Server implements AsyncDisposable {
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

function head(...headers: string[]): Uint8Array {
  const lines = ["POST /classify?top_k=1 HTTP/1.1", "host: localhost", ...headers, "", ""];
  return encoder.encode(lines.join("\r\n"));
}

/** What comes of a server that may keep the connection, until an answer is whole. */
async function readAnswer(connection: Deno.TcpConn): Promise<string> {
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

Deno.test("10,000 headers are refused, and the next request is answered", async () => {
  await using server = new Server();
  using connection = await server.connect();
  const many = Array.from({ length: 10_000 }, (_, i) => `x-header-${i}: value`);
  const answer = readAnswer(connection);
  await send(connection, head(...many)).catch(() => {}); // it may be closed before the last
  const text = await answer;
  assert(/^HTTP\/1.1 4\d\d/.test(text) || text === "", text.slice(0, 100));
  await server.assertWell();
});

Deno.test("a body of 1 GB is refused when it is declared, before it is sent", async () => {
  await using server = new Server();
  using connection = await server.connect();
  await send(connection, head("content-length: 1000000000"));
  assertStringIncludes(await readAnswer(connection), "413");
  await server.assertWell();
});

Deno.test("a body of 1 GB in chunks is refused at the limit, and the rest takes no memory", async () => {
  await using server = new Server();
  using connection = await server.connect();
  let isAnswered = false;
  const answer = readAnswer(connection).finally(() => isAnswered = true);
  await send(connection, head("transfer-encoding: chunked"));
  const chunk = encoder.encode(`10000\r\n${"x".repeat(65_536)}\r\n`);
  let sentUnanswered = 0;
  let most = 0;
  try {
    for (let sent = 0; sent < 1_000_000_000; sent += 65_536) {
      await send(connection, chunk);
      if (!isAnswered) sentUnanswered = sent;
      if (sent % (100 * 65_536) === 0) {
        most = Math.max(most, await server.metric("vit_msn_body_bytes"));
      }
    }
  } catch {
    // The server has closed.
  }
  assertStringIncludes(await answer, "413");
  assert(sentUnanswered < 100_000_000, `${sentUnanswered} bytes were taken before`);
  assert(most <= LIMITS.maxBodyBytes, `${most} bytes were held`);
  await server.assertWell();
});

Deno.test("an upload of a byte at a time ends at the deadline", async () => {
  await using server = new Server();
  using connection = await server.connect();
  const begin = performance.now();
  await send(connection, head("content-length: 1000"));
  const answer = readAnswer(connection);
  let isOpen = true;
  answer.finally(() => isOpen = false);
  while (isOpen) {
    await connection.write(Uint8Array.of(0xff)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertStringIncludes(await answer, "408");
  assert(performance.now() - begin < SOON);
  await server.assertWell();
});

for (const sent of [1000, SHIP.length]) {
  Deno.test(`a client that closes its side after ${sent} bytes leaves nothing behind`, async () => {
    await using server = new Server();
    using connection = await server.connect();
    await send(connection, head(`content-length: ${SHIP.length}`));
    await send(connection, SHIP.subarray(0, sent));
    await connection.closeWrite();
    const text = await readAll(connection);
    // A whole request is answered; half of one cannot be.
    if (sent === SHIP.length) assertStringIncludes(text, '"ship"');
    else assert(!text.includes("HTTP/1.1 200"), text);
    await server.assertWell();
  });
}

Deno.test("clients that go away before the answer leave nothing behind", async () => {
  await using server = new Server();
  for (let i = 0; i < 20; i++) {
    const connection = await server.connect();
    await send(connection, head(`content-length: ${SHIP.length}`));
    await send(connection, i % 2 === 0 ? SHIP : SHIP.subarray(0, 1000));
    connection.close();
  }
  const begin = performance.now();
  const isBusy = async () =>
    await server.metric("vit_msn_images_waiting") > 0 ||
    await server.metric("vit_msn_body_bytes") > 0;
  while (await isBusy() && performance.now() - begin < SOON) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await server.assertWell();
});

Deno.test("health is answered while uploads stall", async () => {
  await using server = new Server();
  const connections = await Promise.all(Array.from({ length: 50 }, () => server.connect()));
  for (const connection of connections) await send(connection, head("content-length: 1000"));
  const response = await fetch(`http://127.0.0.1:${server.port}/v2/health/live`);
  assertEquals(response.status, 200);
  await response.body?.cancel();
  for (const connection of connections) connection.close();
  await server.assertWell();
});

/** Milliseconds until a connection is closed by the server. */
async function timeToClose(connection: Deno.TcpConn): Promise<number> {
  const begin = performance.now();
  await readAll(connection);
  return performance.now() - begin;
}

Deno.test("connections without a whole head, and idle ones, are closed in time", async () => {
  await using server = new Server({ headTimeout: 300, idleTimeout: 1500 });
  const silent = await server.connect();
  const half = await server.connect();
  await send(half, encoder.encode("POST /classify HTTP/1.1\r\n"));
  const idle = await server.connect();
  await send(idle, encoder.encode("GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"));
  const [first, second, third] = await Promise.all([silent, half, idle].map(timeToClose)) as [
    number,
    number,
    number,
  ];
  assert(first >= 250 && first < 1400, `silent: ${first} ms`);
  assert(second >= 250 && second < 1400, `half: ${second} ms`);
  assert(third >= 1400 && third < SOON, `idle: ${third} ms`);
  await server.assertWell();
});

Deno.test("a head that comes a byte at a time has no more time for it", async () => {
  await using server = new Server({ headTimeout: 500 });
  using connection = await server.connect();
  const closed = timeToClose(connection);
  let isOpen = true;
  closed.finally(() => isOpen = false);
  for (const byte of head("x-slow: 1", `x-long: ${"a".repeat(1000)}`)) {
    if (!isOpen) break;
    await connection.write(Uint8Array.of(byte)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const time = await closed;
  assert(time >= 400 && time < SOON, `${time} ms`);
});

Deno.test("of more connections than there may be, the one that does least is closed", async () => {
  await using server = new Server({ maxConnections: 3 });
  const silent = await Promise.all([1, 2].map(() => server.connect()));
  using uploading = await server.connect();
  await send(uploading, head(`content-length: ${SHIP.length}`));
  await send(uploading, SHIP.subarray(0, 1000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const answer = readAnswer(uploading);
  for (let i = 0; i < 2; i++) {
    using other = await server.connect();
    await send(other, encoder.encode("GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"));
    assertStringIncludes(await readAnswer(other), '{"live":true}');
    assertEquals(await readAll(silent[i]!), "");
  }
  await send(uploading, SHIP.subarray(1000));
  assertStringIncludes(await answer, '"ship"');
});

Deno.test("a client that does not take its answer is given up", async () => {
  await using server = new Server({ writeTimeout: 500 });
  using connection = await server.connect();
  // Answers to these do not fit into what the system keeps for a client.
  const ask = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3000);
  const begin = performance.now();
  let isClosed = false;
  while (!isClosed && performance.now() - begin < SOON) {
    await send(connection, encoder.encode(ask)).catch(() => isClosed = true);
  }
  assert(isClosed);
  await server.assertWell();
});

Deno.test("what a client goes on to send after a 413 is read for a moment only", async () => {
  await using server = new Server();
  using connection = await server.connect();
  await send(connection, head("content-length: 1000000000"));
  const answer = readAnswer(connection);
  const begin = performance.now();
  let sent = 0;
  try {
    for (; performance.now() - begin < SOON; sent += 65_536) {
      await send(connection, new Uint8Array(65_536));
    }
  } catch {
    // closed
  }
  assertStringIncludes(await answer, "413");
  // The system takes some megabytes, too.
  assert(sent < 50_000_000, `${sent} bytes were taken`);
  assert(performance.now() - begin < SOON);
  await server.assertWell();
});

Deno.test("requests one after the other on a connection are answered in their order", async () => {
  await using server = new Server();
  using connection = await server.connect();
  const asked = ["/v2/health/live", "/nowhere", "/v2/health/ready"];
  const texts = asked.map((path, i) =>
    `GET ${path} HTTP/1.1\r\nhost: x\r\n${i === 2 ? "connection: close\r\n" : ""}\r\n`
  );
  await send(connection, encoder.encode(texts.join("")));
  const text = await readAll(connection);
  const statuses = [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status);
  assertEquals(statuses, ["200", "404", "200"]);
});

for (
  const [name, bytes, status] of [
    ["what is no HTTP", "hello\r\n\r\n", 400],
    ["a request of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      400,
    ],
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "a chunk of no size",
      "POST /classify HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      400,
    ],
    ["a malformed Host", 'GET / HTTP/1.1\r\nhost: a"><b\r\n\r\n', 400],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["an address of another scheme", "GET ftp://x/ HTTP/1.1\r\nhost: x\r\n\r\n", 404],
    ["all of the server", "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", 404],
  ] as const
) {
  Deno.test(`${name} is answered ${status}`, async () => {
    await using server = new Server();
    using connection = await server.connect();
    await send(connection, encoder.encode(bytes));
    assertStringIncludes(await readAnswer(connection), `HTTP/1.1 ${status}`);
    await server.assertWell();
  });
}
