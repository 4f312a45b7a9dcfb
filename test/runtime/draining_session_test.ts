import { assertEquals, assertRejects } from "@std/assert";
import { DrainingSession } from "../../src/runtime/draining_session.ts";
import type { NamedTensors } from "../../src/runtime/runtime.ts";

Deno.test("DrainingSession ends when it is disposed of and its last run is over", async () => {
  const { promise, resolve } = Promise.withResolvers<NamedTensors>();
  let ended = 0;
  const session = new DrainingSession({
    run: () => promise,
    [Symbol.asyncDispose]: () => Promise.resolve(void ended++),
  });
  const running = [session.run(new Map(), []), session.run(new Map(), [])];
  await session[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose](); // once more does no harm
  assertEquals(ended, 0);
  await assertRejects(() => session.run(new Map(), []), Error, "disposed of");
  resolve(new Map());
  await Promise.all(running);
  assertEquals(ended, 1);
});

Deno.test("DrainingSession that nothing uses ends at once", async () => {
  let ended = 0;
  const session = new DrainingSession({
    run: () => Promise.reject(new Error("failed")),
    [Symbol.asyncDispose]: () => Promise.resolve(void ended++),
  });
  await assertRejects(() => session.run(new Map(), []), Error, "failed");
  await session[Symbol.asyncDispose]();
  assertEquals(ended, 1);
});
