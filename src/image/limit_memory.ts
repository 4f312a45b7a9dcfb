import { readUnsigned, wasmSections } from "./wasm_sections.ts";

const MEMORY_SECTION = 5;
const PAGE = 65_536;

/**
 * Gives a WebAssembly module that defines a memory a maximum for it, so that an allocation past it
 * fails inside the module instead of taking the host's memory.
 * https://webassembly.github.io/spec/core/binary/modules.html#memory-section
 *
 * @param wasm a module with one memory that has no maximum or a larger one.
 * @param maxBytes the maximum; rounded up to pages of 64 KiB, and no less than the memory's initial size.
 * @throws {TypeError} if the module defines no memory.
 */
export function limitMemory(wasm: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const section = wasmSections(wasm).find(({ id }) => id === MEMORY_SECTION);
  if (section) {
    const [count, flags] = readUnsigned(wasm, section.content);
    if (count === 1 && wasm[flags]! <= 1) {
      const [initial] = readUnsigned(wasm, flags + 1);
      const maximum = Math.max(initial, Math.ceil(maxBytes / PAGE));
      // One memory with a maximum: its flags are 1.
      const limits = [1, 1, ...unsigned(initial), ...unsigned(maximum)];
      const head = [MEMORY_SECTION, ...unsigned(limits.length), ...limits];
      const rest = wasm.subarray(section.end);
      const limited = new Uint8Array(section.start + head.length + rest.length);
      limited.set(wasm.subarray(0, section.start));
      limited.set(head, section.start);
      limited.set(rest, section.start + head.length);
      return limited;
    }
  }
  throw new TypeError("Cannot limit the memory: the WebAssembly module defines none");
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value];
}
