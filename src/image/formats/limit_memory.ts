import { readUnsigned, wasmSections } from "./wasm_sections.ts";

const MEMORY_SECTION = 5;
const PAGE = 65_536;

/**
 * Sets the maximum of a WebAssembly module's memory, so that an allocation beyond it fails inside the
 * module instead of exhausting the host's memory.
 * https://webassembly.github.io/spec/core/binary/modules.html#memory-section
 *
 * @param wasm a module that defines one memory.
 * @param maxBytes the maximum in bytes; rounded up to pages of 64 KiB and to the initial size.
 * @returns a copy of the module with the new maximum.
 * @throws {TypeError} if the module defines no memory.
 */
export function limitMemory(wasm: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const section = wasmSections(wasm).find(({ id }) => id === MEMORY_SECTION);
  if (section) {
    const [count, flags] = readUnsigned(wasm, section.content);
    if (count === 1 && wasm[flags]! <= 1) {
      const [initial] = readUnsigned(wasm, flags + 1);
      const maximum = Math.max(initial, Math.ceil(maxBytes / PAGE));
      // One memory; its flags are 1, which means that it has a maximum.
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
