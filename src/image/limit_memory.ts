const MEMORY_SECTION = 5;
const HEADER_LENGTH = 8; // magic number and version
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
  for (let at = HEADER_LENGTH; at < wasm.length;) {
    const id = wasm[at]!;
    const [length, content] = readUnsigned(wasm, at + 1);
    if (id !== MEMORY_SECTION) {
      at = content + length;
      continue;
    }
    const [count, flags] = readUnsigned(wasm, content);
    if (count !== 1 || wasm[flags]! > 1) break;
    const [initial] = readUnsigned(wasm, flags + 1);
    const maximum = Math.max(initial, Math.ceil(maxBytes / PAGE));
    // One memory with a maximum: its flags are 1.
    const section = [1, 1, ...unsigned(initial), ...unsigned(maximum)];
    const head = [MEMORY_SECTION, ...unsigned(section.length), ...section];
    const rest = wasm.subarray(content + length);
    const limited = new Uint8Array(at + head.length + rest.length);
    limited.set(wasm.subarray(0, at));
    limited.set(head, at);
    limited.set(rest, at + head.length);
    return limited;
  }
  throw new TypeError("Cannot limit the memory: the WebAssembly module defines none");
}

/** Reads an unsigned LEB128 number: its value, and where the next thing is. */
function readUnsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push(value & 0x7f | 0x80);
  return [...bytes, value];
}
