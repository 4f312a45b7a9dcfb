import { assert, assertEquals, assertThrows } from "@std/assert";
import gifWasm from "imagescript/wasm/any/gif.wasm" with { type: "bytes" };
import jpegWasm from "imagescript/wasm/any/jpeg.wasm" with { type: "bytes" };
import pngWasm from "imagescript/wasm/any/png.wasm" with { type: "bytes" };
import { PAGE } from "../../../src/image/wasm/warm_memory.ts";
import { importMemory } from "../../../wasm/decoders/import_memory.ts";

/** A module with a memory, a custom section before and one after it. */
function moduleWith(memory: readonly number[]): Uint8Array {
  const custom = (name: number) => [0, 2, 1, name];
  return Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...custom(97), ...memory, ...custom(98));
}

const EXPORT = [7, 5, 1, 1, 109, 2, 0]; // the memory as "m"
const MEMORIES = { "no maximum": [5, 3, 1, 0, 2], "a maximum": [5, 5, 1, 1, 2, 0x80, 8] };

for (const [what, section] of Object.entries(MEMORIES)) {
  Deno.test(`importMemory() makes a module with ${what} run on the given memory`, () => {
    const module = new WebAssembly.Module(importMemory(moduleWith([...section, ...EXPORT])));
    assertEquals(WebAssembly.Module.customSections(module, "a").length, 1);
    assertEquals(WebAssembly.Module.customSections(module, "b").length, 1);
    const memory = new WebAssembly.Memory({ initial: 5, maximum: 7 });
    const { m } = new WebAssembly.Instance(module, { env: { memory } }).exports;
    assertEquals(m, memory);
    // It says itself how much it needs at least.
    const small = new WebAssembly.Memory({ initial: 1, maximum: 7 });
    assertThrows(() => new WebAssembly.Instance(module, { env: { memory: small } }));
  });
}

Deno.test("importMemory() refuses a module without a memory", () => {
  assertThrows(() => importMemory(moduleWith([])), TypeError, "defines none");
});

for (const [name, wasm] of Object.entries({ jpeg: jpegWasm, gif: gifWasm })) {
  Deno.test(`the ${name} decoder takes the pages there are before it grows its memory`, () => {
    const module = new WebAssembly.Module(importMemory(wasm, 17));
    const run = (memory: WebAssembly.Memory, bytes: number) => {
      new Uint8Array(memory.buffer).fill(0); // an allocator on used memory would run in circles
      const env = { memory, push_to_stream() {} };
      const exports = new WebAssembly.Instance(module, { env }).exports;
      const { walloc, pages } = exports as unknown as {
        walloc(length: number): number;
        pages: WebAssembly.Global;
      };
      assertEquals(pages.value, 17);
      const pointer = walloc(bytes);
      assert(pointer > 0 && pointer + bytes <= pages.value * PAGE);
      return pages.value;
    };
    const size = () => memory.buffer.byteLength / PAGE;
    const memory = new WebAssembly.Memory({ initial: 17, maximum: 64 });
    const taken = run(memory, 20 * PAGE);
    assertEquals(size(), taken);
    for (let i = 0; i < 5; i++) assertEquals(run(memory, 20 * PAGE), taken);
    assertEquals(size(), taken);
    assert(run(memory, 30 * PAGE) > taken);
    // Beyond the maximum, an allocation fails inside the module.
    assertThrows(() => run(memory, 60 * PAGE));
    assert(size() <= 64);
  });
}

Deno.test("the png decoder needs no other way to grow: it takes what the memory has", () => {
  const module = new WebAssembly.Module(importMemory(pngWasm));
  assert(!WebAssembly.Module.exports(module).some(({ name }) => name === "pages"));
});
