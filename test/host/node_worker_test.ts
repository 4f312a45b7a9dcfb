import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { canStartWorkers, nodeWorker } from "../../src/host/node_worker.ts";
import { CLOUDFLARE, NODE, withGlobals } from "./with_globals.ts";

Deno.test("a worker in a thread of Node.js answers as one of the web", async () => {
  await withGlobals(NODE, async () => {
    assert(canStartWorkers());
    const worker = nodeWorker("./doubling_worker.ts", import.meta.url);
    const ask = (n: number) =>
      new Promise<number>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
        worker.postMessage(n, []);
      });
    assertEquals(await ask(21), 42);
    assertEquals(await ask(4), 8);
    const message = await ask(-1).then(() => "", (error) => error.message);
    assertStringIncludes(message, "too small");
    await worker.terminate();
  });
});

Deno.test("Node.js 20, which has no navigator, has threads", async () => {
  assert(await withGlobals({ ...NODE, navigator: undefined }, canStartWorkers));
});

Deno.test("a host that has Node.js' modules, but no threads, starts no worker", async () => {
  await withGlobals(CLOUDFLARE, () => {
    assertEquals(canStartWorkers(), false);
    const start = () => nodeWorker("./doubling_worker.ts", import.meta.url);
    assertThrows(start, Error, "Cannot start a worker: this host has no threads");
  });
  assert(canStartWorkers());
});
