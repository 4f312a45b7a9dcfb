import { assert, assertEquals, assertRejects } from "@std/assert";
import { Deadline } from "../../../src/http/deadline.ts";
import { Problem } from "../../../src/http/problem.ts";
import { readBody } from "../../../src/http/request/body.ts";
import { BodyMemory } from "../../../src/http/request/body_memory.ts";

const LIMITS = { maxBodyBytes: 1_000_000, uploadTimeout: 10_000, minUploadRate: 8000 };

function requestOf(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://service.test/", { method: "POST", body, headers });
}

/** Chunks, with a pause in milliseconds before each. */
function slowly(chunks: readonly Uint8Array[], pause: number): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const chunk = chunks[next++];
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

Deno.test("a body is read in whatever pieces it comes, and its memory is what counts", async () => {
  const memory = new BodyMemory(2_000_000);
  // Each piece is a view of a buffer a thousand times as large.
  const pieces = Array.from(
    { length: 3000 },
    (_, i) => new Uint8Array(1000).fill(i).subarray(0, 1),
  );
  const stream = ReadableStream.from(pieces);
  using deadline = new Deadline(5000, new AbortController().signal);
  const held = await readBody(requestOf(stream), LIMITS, memory, deadline);
  assertEquals(held.bytes.length, 3000);
  assert(held.bytes.every((byte, i) => byte === i % 256));
  assertEquals(memory.bytes, held.bytes.buffer.byteLength);
  assert(memory.bytes <= 65_536);
  held[Symbol.dispose]();
  assertEquals(memory.bytes, 0);
});

Deno.test("memory grows with the bytes that come, not with those that are declared", async () => {
  const memory = new BodyMemory(2_000_000);
  const headers = { "content-length": "1000000" };
  using deadline = new Deadline(300, new AbortController().signal);
  const stalled = new ReadableStream<Uint8Array>({ start: (c) => c.enqueue(new Uint8Array(10)) });
  const reading = readBody(requestOf(stalled, headers), LIMITS, memory, deadline);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(memory.bytes, 65_536);
  const problem = await assertRejects(() => reading, Problem, "did not come in time");
  assertEquals([problem.status, memory.bytes], [408, 0]);
});

Deno.test("an upload that does not come along is given up before its deadline", async () => {
  const memory = new BodyMemory(2_000_000);
  using deadline = new Deadline(60_000, new AbortController().signal);
  const trickle = slowly(Array(1000).fill(new Uint8Array(10)), 50);
  const begin = performance.now();
  const reading = readBody(
    requestOf(trickle),
    { ...LIMITS, uploadTimeout: 60_000 },
    memory,
    deadline,
  );
  assertEquals((await assertRejects(() => reading, Problem)).status, 408);
  assert(performance.now() - begin < 20_000);
});

Deno.test("an upload at the least rate is read to its end", async () => {
  const memory = new BodyMemory(2_000_000);
  using deadline = new Deadline(60_000, new AbortController().signal);
  const slow = slowly(Array(55).fill(new Uint8Array(1000)), 90); // 5 s
  using held = await readBody(requestOf(slow), LIMITS, memory, deadline);
  assertEquals(held.bytes.length, 55_000);
});

Deno.test("a body of as many bytes as are allowed is read, and one of a byte more is not", async () => {
  for (const [length, isAllowed] of [[1_000_000, true], [1_000_001, false]] as const) {
    const memory = new BodyMemory(2_000_000);
    using deadline = new Deadline(5000, new AbortController().signal);
    const stream = ReadableStream.from([new Uint8Array(length - 1), new Uint8Array(1)]);
    const reading = readBody(requestOf(stream), LIMITS, memory, deadline);
    if (isAllowed) assertEquals((await reading).bytes.length, length);
    else assertEquals((await assertRejects(() => reading, Problem)).status, 413);
    if (!isAllowed) assertEquals(memory.bytes, 0);
  }
});
