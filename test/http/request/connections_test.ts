import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SHIP } from "../service.ts";
import { readAll, send } from "../socket.ts";
import { encoder, head, readAnswer, Server, SOON } from "./tcp_server.ts";

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
