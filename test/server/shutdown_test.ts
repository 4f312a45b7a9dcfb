// A signal in the middle of an upload: what has begun is finished, and then the process ends.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readAll, send } from "../http/socket.ts";
import { ServerProcess, sleep } from "./server_process.ts";
import { SERVERS } from "./servers.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");
/** A server takes what was sent within this time, also on a busy machine. */
const TAKEN = 1000;
/** The stated time, and what starting and ending a process takes on a busy machine. */
const SOON = 10_000 + 5000;

for (const [name, prepare] of SERVERS) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.test(`${name} finishes an upload after ${signal}, and ends with 0`, async () => {
      using options = await prepare();
      await using server = await ServerProcess.start(options);
      assertEquals((await server.post("/classify", SHIP)).status, 200);
      using idle = await server.connect(); // must not keep it
      using connection = await server.connect();
      const head =
        `POST /classify?top_k=1 HTTP/1.1\r\nhost: x\r\ncontent-length: ${SHIP.length}\r\n\r\n`;
      await send(connection, head);
      await send(connection, SHIP.subarray(0, 1000));
      await sleep(TAKEN);
      server.kill(signal);
      await sleep(500);
      await assertRejects(() => server.connect());
      await send(connection, SHIP.subarray(1000));
      const answer = await readAll(connection);
      assertStringIncludes(answer, "HTTP/1.1 200");
      assertStringIncludes(answer, '"ship"');
      assertEquals(await readAll(idle), "");
      const begin = performance.now();
      const { code, output } = await server.ended();
      assertEquals(code, 0, output);
      assert(performance.now() - begin < SOON);
      assertStringIncludes(output, "finishing what has begun");
    });
  }

  Deno.test(`${name} ends after the stated time when an upload does not`, async () => {
    using options = await prepare();
    await using server = await ServerProcess.start(options);
    using connection = await server.connect();
    await send(connection, "POST /classify HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    await sleep(TAKEN);
    const answer = readAll(connection);
    let isOpen = true;
    answer.finally(() => isOpen = false);
    server.kill("SIGTERM");
    const begin = performance.now();
    const ended = server.ended();
    while (isOpen) {
      await send(connection, new Uint8Array(10_000)).catch(() => {}); // fast enough not to be given up
      await sleep(200);
    }
    const { code, output } = await ended;
    assertEquals(code, 1, output);
    assertStringIncludes(output, "not done in time");
    assert(performance.now() - begin < SOON);
  });
}
