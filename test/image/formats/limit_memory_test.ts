import { assertEquals, assertThrows } from "@std/assert";
import { limitMemory } from "../../../src/image/formats/limit_memory.ts";

/** A module with a memory of two pages, a custom section before and one after it. */
function moduleWith(memory: number[]): Uint8Array {
  const custom = (name: number) => [0, 2, 1, name];
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...custom(97), ...memory, ...custom(98));
}

const EXPORT = [7, 5, 1, 1, 109, 2, 0]; // the memory as "m"

for (
  const [what, section] of [["none", [5, 3, 1, 0, 2]], ["a larger one", [
    5,
    5,
    1,
    1,
    2,
    0x80,
    8,
  ]]] as const
) {
  Deno.test(`limitMemory() sets a maximum where there is ${what}`, () => {
    const limited = limitMemory(moduleWith([...section, ...EXPORT]), 200 * 65_536 - 1);
    const module = new WebAssembly.Module(limited);
    assertEquals(WebAssembly.Module.customSections(module, "a").length, 1);
    assertEquals(WebAssembly.Module.customSections(module, "b").length, 1);
    const { m } = new WebAssembly.Instance(module).exports as { m: WebAssembly.Memory };
    assertEquals(m.buffer.byteLength, 2 * 65_536);
    m.grow(198);
    assertThrows(() => m.grow(1), RangeError);
  });
}

Deno.test("limitMemory() never goes below the memory's initial size", () => {
  const limited = limitMemory(moduleWith([5, 3, 1, 0, 2]), 1);
  assertEquals(WebAssembly.validate(limited), true);
});

Deno.test("limitMemory() refuses a module without a memory", () => {
  assertThrows(() => limitMemory(moduleWith([]), 65_536), TypeError, "defines none");
});
