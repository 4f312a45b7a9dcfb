// Large photos, many in a request and more than there is time for.

import { assert, assertEquals } from "@std/assert";
import { photoOf } from "../bench/support/photo.ts";
import { exchange, form, requestBytes } from "../fuzz/raw_request.ts";
import { HealthWatch, ServerProcess } from "./server_process.ts";

const PHOTO = await photoOf(4000, 3000);

Deno.test("a request of 12 photos of 12 megapixels takes as much memory as one", async () => {
  await using server = await ServerProcess.start();
  assertEquals((await server.post("/classify", await photoOf(32, 32))).status, 200);
  const before = server.memory("now");
  const health = new HealthWatch(server);
  const photos = Array(12).fill(['name="a"; filename="b"', PHOTO] as const);
  const { status, text } = await exchange(server.port, requestBytes(form("/classify", photos)));
  assertEquals(status, 200, text);
  const megabytes = server.memory("most") - before;
  assert(megabytes < 300, `it took ${megabytes} MB`);
  const wait = await health.end();
  assert(wait < 600, `health waited for ${wait} ms`);
});

Deno.test("70 photos of 12 megapixels at once are answered, or turned away soon", async () => {
  // A third of the usual time, so that there is not enough for all.
  await using server = await ServerProcess.start({ serve: ["--timeout", "10"] });
  const health = new HealthWatch(server);
  const begin = performance.now();
  const answers = await Promise.all(Array.from({ length: 70 }, async () => {
    const { status } = await server.post("/classify", PHOTO);
    return { status, time: performance.now() - begin };
  }));
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  const text = JSON.stringify(
    Object.groupBy(answers, ({ status }) => status),
    (_, value) => Array.isArray(value) ? value.length : value,
  );
  assertEquals(count(200) + count(429) + count(503) + count(504), 70, text);
  assert(count(200) >= 5, text);
  assert(count(504) <= count(200), text);
  const wait = await health.end();
  assert(wait < 600, `health waited for ${wait} ms`);
});
