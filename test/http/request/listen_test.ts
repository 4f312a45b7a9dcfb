// What clients do on their sockets that no client should.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SHIP } from "../service.ts";
import { encoder, head, LIMITS, readAnswer, Server, SOON } from "./tcp_server.ts";
import { readAll, send } from "../socket.ts";

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
