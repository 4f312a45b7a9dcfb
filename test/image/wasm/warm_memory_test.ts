import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { decodeImage } from "../../../src/image/decode_image.ts";
import type { DecodeOptions } from "../../../src/image/decode_options.ts";
import { MAX_KEPT, PAGE, WarmMemory } from "../../../src/image/wasm/warm_memory.ts";
import { readGolden } from "../../golden/golden.ts";
import { uniform } from "../../random.ts";

const MEGABYTE = 1_000_000;

Deno.test("a warm memory is the same one as before, and all zeros", () => {
  let first: WebAssembly.Memory;
  {
    using warm = new WarmMemory(6 * MEGABYTE, 20);
    first = warm.memory;
    first.grow(10);
    new Uint8Array(first.buffer).fill(255);
  }
  using warm = new WarmMemory(7 * MEGABYTE, 20); // rounded up, it is as large
  assertStrictEquals(warm.memory, first);
  assertEquals(warm.memory.buffer.byteLength, 30 * PAGE);
  assert(new Uint8Array(warm.memory.buffer).every((byte) => byte === 0));
});

Deno.test("a warm memory is zeroed as far as it was written", () => {
  {
    using warm = new WarmMemory(6 * MEGABYTE, 20);
    new Uint8Array(warm.memory.buffer, 0, 3 * PAGE).fill(255);
    warm.dirtyBytes = 3 * PAGE;
  }
  using warm = new WarmMemory(6 * MEGABYTE, 40);
  assert(warm.memory.buffer.byteLength >= 40 * PAGE);
  assert(new Uint8Array(warm.memory.buffer).every((byte) => byte === 0));
});

Deno.test("two images at a time have memories of their own", () => {
  using one = new WarmMemory(MEGABYTE, 1);
  using other = new WarmMemory(MEGABYTE, 1);
  assertNotStrictEquals(one.memory, other.memory);
});

Deno.test("a memory cannot grow beyond its limit, and a large one is not kept", () => {
  let small: WebAssembly.Memory, large: WebAssembly.Memory;
  {
    using warm = new WarmMemory(40 * MEGABYTE, 1);
    small = warm.memory;
    small.grow(2 ** 26 / PAGE - small.buffer.byteLength / PAGE);
    let grew = true;
    try {
      small.grow(1);
    } catch {
      grew = false;
    }
    assert(!grew);
  }
  {
    using warm = new WarmMemory(2 * MAX_KEPT, 1);
    large = warm.memory;
    large.grow(MAX_KEPT / PAGE);
  }
  {
    using warm = new WarmMemory(2 * MAX_KEPT, 1);
    assertNotStrictEquals(warm.memory, large);
  }
});

// Decoders on memory that hostile files have used.

const golden = readGolden("decoded.safetensors");
const file = (name: string) => golden.get(`${name}.file`)!.data as Uint8Array;
const CASES: readonly (readonly [name: string, options: DecodeOptions])[] = [
  ["jpeg_420", {}],
  ["jpeg_progressive", {}],
  ["jpeg_420", { decode: "exact" }],
  ["jpeg_progressive", { decode: "exact" }],
  ["png_palette", {}],
  ["gif", {}],
  ["webp_lossless", {}],
  ["webp_lossy", {}],
];

Deno.test("no image leaves anything behind for the next one, whatever the format", async () => {
  const decode = async ([name, options]: typeof CASES[number]) =>
    (await decodeImage(file(name), options)).data;
  const expected = await Promise.all(CASES.map(decode));
  const random = uniform(1);
  for (let round = 0; round < 300; round++) {
    // A damaged file of one decoder, then a good one of another.
    const [name, options] = CASES[Math.floor(random() * CASES.length)]!;
    const damaged = file(name).slice();
    for (let i = 0; i < 4; i++) {
      damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    }
    await decodeImage(damaged, options).catch(() => {});
    const next = Math.floor(random() * CASES.length);
    assertEquals(await decode(CASES[next]!), expected[next]);
  }
});

Deno.test("images of one size run on one memory", async () => {
  const { Memory } = WebAssembly;
  let made = 0;
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      made++;
    }
  };
  try {
    for (let round = 0; round < 20; round++) {
      for (const [name, options] of CASES) await decodeImage(file(name), options);
    }
  } finally {
    WebAssembly.Memory = Memory;
  }
  // Small ones share a size; that of PNG is larger, as its stack takes 5 MB.
  assert(made <= 2, `${made} memories`);
});
