import { assertEquals, assertThrows } from "@std/assert";
import { tensorBytes, tensorFromBytes } from "../../src/tensor/tensor.ts";

Deno.test("tensorFromBytes() is a view where the bytes are aligned, else a copy", () => {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setFloat32(4, 1.5, true);
  const view = tensorFromBytes("float32", [2], bytes.subarray(4));
  assertEquals(view.data, Float32Array.of(1.5, 0));
  assertEquals(view.data.buffer, bytes.buffer);

  const shifted = new Uint8Array(13);
  shifted.set(bytes, 1);
  const copy = tensorFromBytes("float32", [2], shifted.subarray(5));
  assertEquals(copy.data, view.data);
  assertEquals(tensorBytes(copy), bytes.slice(4));
});

Deno.test("tensorFromBytes() refuses bytes that do not fit the shape", () => {
  assertThrows(() => tensorFromBytes("int64", [2], new Uint8Array(15)), RangeError, "15 bytes");
});
