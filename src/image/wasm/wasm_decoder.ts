import { damagedAs, type ImageDecodeError } from "../image_decode_error.ts";
import { compileWasm, type WasmSource } from "../../host/wasm_source.ts";
import { PAGE, WarmMemory } from "./warm_memory.ts";

/** A decoder in WebAssembly. It runs each image on a fresh instance, over zeroed memory. */
export class WasmDecoder {
  readonly #format: string;
  readonly #wasm: WasmSource;
  readonly #pages: number;
  #module: WebAssembly.Module | undefined;

  /**
   * @param format the format's name, for error messages.
   * @param wasm a module that imports `memory` of `env`; `wasm/decoders/` makes them.
   * @param pages the memory that it starts with, in pages of 64 KiB: its data and its stack.
   */
  constructor(format: string, wasm: WasmSource, pages: number) {
    this.#format = format;
    this.#wasm = wasm;
    this.#pages = pages;
  }

  /** The compiled module. */
  get module(): WebAssembly.Module {
    return this.#module ??= compileWasm(this.#wasm);
  }

  /** Takes a memory for an image, which may grow to `bytes`. */
  memory(bytes: number): WarmMemory {
    return new WarmMemory(this.#pages * PAGE + bytes, this.#pages);
  }

  /**
   * Runs a decoder.
   *
   * @param memoryBytes the limit of its memory, which is rounded up.
   * @throws {ImageDecodeError} if the WebAssembly code traps or reports an error.
   * @throws {RangeError} if the host has no memory.
   */
  decode<T>(memoryBytes: number, decode: (instance: DecoderInstance) => T): T {
    using warm = this.memory(memoryBytes);
    const instance = new DecoderInstance(this.module, warm);
    try {
      return decode(instance);
    } catch (error) {
      throw this.toImageDecodeError(error);
    } finally {
      warm.dirtyBytes = instance.dirtyBytes;
    }
  }

  /** Converts a trap or an invalid pointer to an ImageDecodeError; returns any other error unchanged. */
  toImageDecodeError(error: unknown): unknown {
    // A trap, or a view outside the memory: the data misled the code, or it ran out of memory.
    const isTrap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    return isTrap
      ? this.damaged("its data are damaged, or need more memory than its size allows")
      : error;
  }

  /** Creates an error for an image of this format. */
  damaged(what: string): ImageDecodeError {
    return damagedAs(this.#format)(what);
  }
}

/** A decoder's exported function; its arguments and its result are handles, pointers or sizes. */
type WasmFunction = (...args: number[]) => number;

/** An instance of one of imagescript's decoders. */
export class DecoderInstance {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: WebAssembly.Exports;

  constructor(module: WebAssembly.Module, { memory }: WarmMemory) {
    this.#memory = memory;
    // imagescript's modules import these functions; decoding works without their effects.
    const env = { memory, emscripten_notify_memory_growth() {}, push_to_stream() {} };
    this.#exports = new WebAssembly.Instance(module, { env }).exports;
  }

  /** How many bytes of the memory it may have written. */
  get dirtyBytes(): number {
    const pages = this.#exports.pages as WebAssembly.Global | undefined;
    return pages ? pages.value * PAGE : Infinity;
  }

  /** Calls an exported function. */
  call(name: string, ...args: number[]): number {
    return (this.#exports[name] as WasmFunction)(...args);
  }

  /**
   * Returns a view of `length` bytes of the instance's memory. The next call may detach it.
   *
   * @throws {RangeError} if the range lies outside the memory.
   */
  view(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, pointer >>> 0, length);
  }

  /** Copies a file into the instance's memory and returns its address. */
  copyIn(bytes: Uint8Array): number {
    const pointer = this.call("walloc", bytes.length);
    this.view(pointer, bytes.length).set(bytes);
    return pointer;
  }
}
