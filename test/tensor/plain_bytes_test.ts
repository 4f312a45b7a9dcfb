import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { plainBytes } from "../../src/tensor/plain_bytes.ts";

Deno.test("plainBytes() leaves a plain Uint8Array as it is", () => {
  const bytes = Uint8Array.of(1, 2, 3).subarray(1);
  assert(plainBytes(bytes) === bytes);
});

Deno.test("plainBytes() gives a view whose slice() is a copy", () => {
  const pool = Buffer.from("abcdef");
  const bytes = plainBytes(pool.subarray(1, 4));
  assertEquals(bytes.constructor, Uint8Array);
  assertEquals(bytes, Uint8Array.of(98, 99, 100));
  assert(bytes.buffer === pool.buffer);
  assert(bytes.slice().buffer !== pool.buffer);
  pool[1] = 0;
  assertEquals(bytes[0], 0); // a view, not a copy
});
