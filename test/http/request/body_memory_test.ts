import { assert, assertEquals, assertThrows } from "@std/assert";
import { Problem } from "../../../src/http/problem.ts";
import { BodyMemory } from "../../../src/http/request/body_memory.ts";

/** An upload, and whether it had to give way. */
function upload(memory: BodyMemory) {
  const state = { problem: undefined as Problem | undefined };
  const held = memory.begin((problem) => state.problem = problem);
  return { held, state };
}

Deno.test("BodyMemory counts what is held, and nothing after it is let go", () => {
  const memory = new BodyMemory(100);
  const { held } = upload(memory);
  held.grow(60);
  held.grow(40);
  assertEquals(memory.bytes, 100);
  assertThrows(() => held.grow(1), Problem, "Too much is being uploaded");
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  assertEquals(memory.bytes, 0);
});

Deno.test("the largest unfinished upload gives way to a smaller one", () => {
  const memory = new BodyMemory(100);
  const [small, large, complete] = [upload(memory), upload(memory), upload(memory)];
  complete.held.grow(40);
  complete.held.complete();
  large.held.grow(35);
  small.held.grow(20);
  small.held.grow(10);
  assertEquals(large.state.problem?.status, 429);
  assertEquals(large.state.problem?.headers, { connection: "close", "retry-after": "1" });
  assertEquals([complete.state.problem, small.state.problem], [undefined, undefined]);
  assertEquals(memory.bytes, 70);
  // It reads no more, and what it had counts no more.
  assertThrows(() => large.held.grow(1), Problem);
  large.held[Symbol.dispose]();
  assertEquals(memory.bytes, 70);
});

Deno.test("an upload that holds most itself is refused", () => {
  const memory = new BodyMemory(100);
  const [a, b] = [upload(memory), upload(memory)];
  a.held.grow(40);
  b.held.grow(40);
  assertThrows(() => b.held.grow(40), Problem);
  assert(!a.state.problem && !b.state.problem);
});
