import { concat } from "@std/bytes/concat";

/** A section of a WebAssembly module, with byte offsets into the module. */
export interface WasmSection {
  /** The section's type. */
  readonly id: number;
  /** Where the section begins, with its id. */
  readonly start: number;
  /** Where its content begins, after the length. */
  readonly content: number;
  /** Where the next section begins. */
  readonly end: number;
}

const HEADER_LENGTH = 8; // magic number and version

/** Lists a module's sections. https://webassembly.github.io/spec/core/binary/modules.html#sections */
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

/** Reads an unsigned LEB128 number; `next` is the offset after it. */
export function readUnsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/** Removes the custom sections of a module: names, producers, debugging. */
export function withoutCustomSections(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = wasmSections(wasm);
  const kept = sections.filter(({ id }) => id !== 0);
  const header = wasm.subarray(0, sections[0]!.start);
  return concat([header, ...kept.map(({ start, end }) => wasm.subarray(start, end))]);
}
