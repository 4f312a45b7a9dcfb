import { assertEquals } from "@std/assert";
import { pressMemory } from "../../src/tensor/memory_pressure.ts";

Deno.test("pressMemory() is no error on a host that has not so much memory", () => {
  const { ArrayBuffer } = globalThis;
  globalThis.ArrayBuffer = class {
    constructor() {
      throw new RangeError("Array buffer allocation failed");
    }
  } as unknown as typeof ArrayBuffer;
  try {
    assertEquals(pressMemory(), false);
  } finally {
    globalThis.ArrayBuffer = ArrayBuffer;
  }
  assertEquals(pressMemory(), true);
});
