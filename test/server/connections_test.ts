// More connections than a process may have files.

import { assert, assertEquals } from "@std/assert";
import { readAll, send } from "../http/socket.ts";
import { ServerProcess, sleep } from "./server_process.ts";
import { SERVERS } from "./servers.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");

/** Opens connections that never send a whole request, as many as the server takes. */
async function openHalf(server: ServerProcess, count: number): Promise<Deno.TcpConn[]> {
  const connections: Deno.TcpConn[] = [];
  for (let i = 0; i < count; i++) {
    const connection = await server.connect();
    await send(connection, "POST /classify HTTP/1.1\r\nhost: x\r\n").catch(() => {}); // closed
    connections.push(connection);
  }
  return connections;
}

for (const [name, prepare] of SERVERS) {
  for (const [maxFiles, count] of [[1024, 1100], [64, 300]] as const) {
    Deno.test(`${name} with ${maxFiles} files outlives ${count} half-open connections`, async () => {
      using options = await prepare();
      await using server = await ServerProcess.start({ ...options, maxFiles });
      assertEquals((await server.post("/classify", SHIP)).status, 200);
      const connections = await openHalf(server, count);
      // They are all open on the client's side, and an honest client is answered nevertheless.
      let status = 0;
      for (let i = 0; i < 20 && status !== 200; i++) {
        status = await server.post("/classify?top_k=1", SHIP).then(
          ({ status }) => status,
          () => sleep(200).then(() => 0),
        );
      }
      assertEquals(status, 200);
      for (const connection of connections) connection.close();
      await sleep(100);
      for (let i = 0; i < 5; i++) assertEquals((await server.post("/classify", SHIP)).status, 200);
    });
  }
}

Deno.test("uploads that hold nearly all memory give way to small ones", async () => {
  await using server = await ServerProcess.start();
  const size = 19_990_000;
  const head = `POST /classify HTTP/1.1\r\nhost: x\r\ncontent-length: ${size + 10}\r\n\r\n`;
  const large = await Promise.all([1, 2, 3].map(async () => {
    const connection = await server.connect();
    await send(connection, head);
    await send(connection, new Uint8Array(size));
    return connection;
  }));
  const answers = large.map(readAll);
  await sleep(200);
  const statuses = await Promise.all(
    Array.from({ length: 12 }, async () => (await server.post("/classify", SHIP)).status),
  );
  assertEquals(statuses, Array(12).fill(200));
  // What holds memory and sends nothing is given up after some seconds at the latest.
  const begin = performance.now();
  for (const answer of answers) assert(/^HTTP\/1.1 4(08|29)/.test(await answer));
  assert(performance.now() - begin < 15_000);
});
