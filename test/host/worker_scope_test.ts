import { assertEquals } from "@std/assert";

Deno.test("a worker of the web hears through its global scope", async () => {
  const worker = new Worker(new URL("./doubling_worker.ts", import.meta.url), { type: "module" });
  const answer = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(21);
  });
  assertEquals(answer, 42);
  worker.terminate();
});
