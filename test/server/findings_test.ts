// What was found by attacks, on a real server each, with its memory and its other answers seen from outside.

import { assert, assertEquals } from "@std/assert";
import { FINDINGS } from "../fuzz/findings.ts";
import { exchange, requestBytes } from "../fuzz/raw_request.ts";
import { HealthWatch, ServerProcess } from "./server_process.ts";

/** That a request may take, in megabytes. */
const MAX_MEGABYTES = 300;
/** That health may wait: 500 ms, and an inference. */
const MAX_WAIT = 600;

const SHIP = await Deno.readFile("test/images/ship.jpg");

for (const { name, request, status: expected } of FINDINGS) {
  Deno.test(`${name}: answered ${expected}, in little memory, while health is answered`, async () => {
    await using server = await ServerProcess.start();
    for (let i = 0; i < 2; i++) assertEquals((await server.post("/classify", SHIP)).status, 200);
    const bytes = requestBytes(request());
    const before = server.memory("now");
    const health = new HealthWatch(server);
    const { status, text } = await exchange(server.port, bytes);
    const wait = await health.end();
    assertEquals(status, expected, text.slice(0, 1000));
    const megabytes = server.memory("most") - before;
    assert(megabytes < MAX_MEGABYTES, `it took ${megabytes} MB`);
    assert(wait < MAX_WAIT, `health waited for ${wait} ms`);
    assertEquals((await server.post("/classify?top_k=1", SHIP)).status, 200);
  });
}
