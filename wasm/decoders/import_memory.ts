import { concat } from "@std/bytes/concat";
import { readUnsigned, type WasmSection, wasmSections } from "./wasm_sections.ts";

/** The most pages that a memory can have. */
const MAX_PAGES = 65_536;

/** Identifiers of sections, https://webassembly.github.io/spec/core/binary/modules.html#sections. */
const TYPE = 1, IMPORT = 2, FUNCTION = 3, MEMORY = 5, GLOBAL = 6, EXPORT = 7, CODE = 10;

/** `i32.const 16, i32.shr_u, memory.grow 0, local.tee`: how the allocator of Rust asks for pages. */
const RUST_GROWS = [0x41, 16, 0x76, 0x40, 0, 0x22];
/** The type of `memory.grow`: one i32 to one i32. */
const GROW_TYPE = [0x60, 1, 0x7f, 1, 0x7f];

/**
 * Changes a WebAssembly module so that it imports its memory, as `memory` of `env`, instead of defining
 * one. Instances can then run on memory that earlier ones have used: its pages are with the process
 * already. Such memory must be zero where the module has no data.
 *
 * A module of Rust takes pages by `memory.grow` only, never those that are there. In such a module the
 * instruction becomes a call of a function that hands out the pages there are before it grows the memory;
 * the exported global `pages` counts them.
 *
 * @param wasm a module that defines one memory, and has fewer than 128 functions if it is of Rust.
 * @param pages how many the module needs at least when it starts; default what it says itself.
 * @throws {TypeError} if the module defines no memory.
 */
export function importMemory(wasm: Uint8Array, pages?: number): Uint8Array<ArrayBuffer> {
  const sections = wasmSections(wasm);
  const memory = sections.find(({ id }) => id === MEMORY);
  if (!memory) throw new TypeError("Cannot import the memory: the module defines none");
  const [initial] = readUnsigned(wasm, memory.content + 2); // after the count and the flags
  const min = pages ?? initial;
  const limits = [1, ...unsigned(min), ...unsigned(MAX_PAGES)];
  const added = new Map<number, number[]>([[IMPORT, [
    ...name("env"),
    ...name("memory"),
    2,
    ...limits,
  ]]]);
  const contents = new Map(
    sections.map((section) => [section, wasm.subarray(section.content, section.end)]),
  );
  const code = sections.find(({ id }) => id === CODE);
  const grow = code ? findGrow(contents.get(code)!) : -1;
  if (code && grow >= 0) {
    const count = (id: number) => {
      const section = sections.find((section) => section.id === id);
      return section ? readUnsigned(wasm, section.content)[0] : 0;
    };
    const importsOf = count(IMPORT);
    const [index, global] = [importsOf + count(FUNCTION), count(GLOBAL)];
    if (index > 127) throw new TypeError("Cannot import the memory: it has 128 functions");
    const patched = contents.get(code)!.slice();
    patched.set([0x10, index], grow); // call
    contents.set(code, patched);
    const body = handOutPages(global);
    added.set(TYPE, GROW_TYPE);
    added.set(FUNCTION, unsigned(count(TYPE)));
    added.set(GLOBAL, [0x7f, 1, 0x41, ...signed(min), 0x0b]);
    added.set(EXPORT, [...name("pages"), 3, ...unsigned(global)]);
    added.set(CODE, [...unsigned(body.length), ...body]);
  }
  return assemble(wasm, sections, contents, added);
}

/** Where `memory.grow` is in a code section, or -1; a module of Rust has it once. */
function findGrow(code: Uint8Array): number {
  for (let i = code.indexOf(0x76); i >= 0; i = code.indexOf(0x76, i + 1)) {
    if (RUST_GROWS.every((byte, j) => code[i - 2 + j] === byte)) return i + 1;
  }
  return -1;
}

/**
 * The body of `(more) => { if (pages + more > memory.size && memory.grow(…) === -1) return -1; const old =
 * pages; pages += more; return old; }`, where `pages` is the global of that index.
 */
function handOutPages(pages: number): number[] {
  const get = [0x23, ...unsigned(pages)], set = [0x24, ...unsigned(pages)];
  const more = [0x20, 0], wanted = [0x20, 1], tee = [0x22, 1];
  const size = [0x3f, 0];
  return [
    ...[1, 1, 0x7f], // one local, i32: the pages that are wanted in all
    ...[...get, ...more, 0x6a, ...tee, ...size, 0x4b, 0x04, 0x40], // if (pages + more > size)
    ...[...wanted, ...size, 0x6b, 0x40, 0, 0x41, 0x7f, 0x46, 0x04, 0x40], // if (grow(…) === -1)
    ...[0x41, 0x7f, 0x0f, 0x0b, 0x0b], // return -1
    ...[...get, ...wanted, ...set, 0x0b],
  ];
}

/** The module without its memory section, with one more entry in each of some sections. */
function assemble(
  wasm: Uint8Array,
  sections: readonly WasmSection[],
  contents: ReadonlyMap<WasmSection, Uint8Array>,
  added: ReadonlyMap<number, number[]>,
): Uint8Array<ArrayBuffer> {
  const parts = [wasm.subarray(0, sections[0]!.start)];
  const put = (id: number, content: Uint8Array) =>
    parts.push(Uint8Array.of(id, ...unsigned(content.length)), content);
  const missing = new Set([...added.keys()].filter((id) => !sections.some((s) => s.id === id)));
  for (const section of sections) {
    const { id } = section;
    // Sections have an order; a custom one, of id 0, may stand anywhere.
    for (const other of [...missing].sort((a, b) => a - b)) {
      if (id === 0 || other > id) continue;
      put(other, Uint8Array.of(1, ...added.get(other)!));
      missing.delete(other);
    }
    if (id === MEMORY) continue;
    const content = contents.get(section)!;
    const entry = added.get(id);
    if (!entry) put(id, content);
    else {
      const [count, next] = readUnsigned(content, 0);
      put(
        id,
        concat([
          Uint8Array.from(unsigned(count + 1)),
          content.subarray(next),
          Uint8Array.from(entry),
        ]),
      );
    }
  }
  return concat(parts);
}

function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128, https://webassembly.github.io/spec/core/binary/values.html#integers. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value];
}

/** LEB128 of a number that is not negative, where a sign is expected. */
function signed(value: number): number[] {
  const bytes = unsigned(value);
  const last = bytes.at(-1)!;
  return last & 0x40 ? [...bytes.slice(0, -1), last | 0x80, 0] : bytes;
}
