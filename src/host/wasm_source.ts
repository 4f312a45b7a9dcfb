/**
 * A WebAssembly module: its bytes, or the module itself on hosts that compile it before the program runs
 * and allow no other, such as Cloudflare Workers.
 */
export type WasmSource = Uint8Array<ArrayBuffer> | WebAssembly.Module;

/**
 * Compiles a module, unless the host has done so.
 *
 * @throws {WebAssembly.CompileError} if this host lacks an instruction of it, or cannot compile.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compileWasm } from "./wasm_source.ts";
 *
 * const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
 * assertEquals(WebAssembly.Module.exports(compileWasm(empty)), []);
 * ```
 */
export function compileWasm(source: WasmSource): WebAssembly.Module {
  return source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source);
}

/** Whether this host has all instructions of a module. */
export function canRunWasm(source: WasmSource): boolean {
  return source instanceof WebAssembly.Module || WebAssembly.validate(source);
}
