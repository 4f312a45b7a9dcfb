/** A section of a WebAssembly module: where it and its content begin, and where it ends. */
export interface WasmSection {
  readonly id: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

const HEADER_LENGTH = 8; // magic number and version

/** The sections of a module. https://webassembly.github.io/spec/core/binary/modules.html#sections */
export function wasmSections(wasm: Uint8Array): WasmSection[] {
  const sections: WasmSection[] = [];
  for (let start = HEADER_LENGTH; start < wasm.length;) {
    const [length, content] = readUnsigned(wasm, start + 1);
    const end = content + length;
    sections.push({ id: wasm[start]!, start, content, end });
    start = end;
  }
  return sections;
}

/** Reads an unsigned LEB128 number: its value, and where the next thing is. */
export function readUnsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}
