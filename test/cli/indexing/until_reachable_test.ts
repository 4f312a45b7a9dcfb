import { assertEquals, assertRejects } from "@std/assert";
import { untilReachable } from "../../../src/cli/indexing/until_reachable.ts";

const broken = () => Object.assign(new Error("it broke"), { code: "ECONNRESET" });

Deno.test("what a server that is away has refused is tried again", async () => {
  const warnings: string[] = [];
  let attempts = 0;
  const run = () => {
    attempts++;
    if (attempts === 1) throw new Error("Cannot write: it broke", { cause: broken() });
    if (attempts === 2) throw broken();
    return Promise.resolve("done");
  };
  const { signal } = new AbortController();
  assertEquals(await untilReachable(run, signal, (text) => warnings.push(text)), "done");
  assertEquals(warnings, [
    "Cannot write: it broke; trying again in 1 s",
    "Cannot reach the server: it broke; trying again in 2 s",
  ]);
});

Deno.test("other errors are not tried again, nor any after an interruption", async () => {
  let attempts = 0;
  const failing = (error: Error) => () => {
    attempts++;
    return Promise.reject(error);
  };
  const wrong = failing(new Error("syntax error"));
  const { signal } = new AbortController();
  await assertRejects(() => untilReachable(wrong, signal, () => {}), Error, "syntax error");
  const interrupted = AbortSignal.abort();
  const away = failing(broken());
  await assertRejects(() => untilReachable(away, interrupted, () => {}), Error, "it broke");
  assertEquals(attempts, 2);
});
