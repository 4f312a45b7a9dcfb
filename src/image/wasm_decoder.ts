import { damagedAs, type ImageDecodeError } from "./image_decode_error.ts";
import { limitMemory } from "./limit_memory.ts";

/** Memory limits are powers of two from here on, so that few modules are compiled. */
const MIN_MEMORY = 2 ** 25;

/** A decoder's WebAssembly code, compiled with as much memory as an image may need. */
export class WasmDecoder {
  readonly #format: string;
  readonly #wasm: Uint8Array;
  readonly #modules = new Map<number, WebAssembly.Module>();

  /**
   * @param format the format's name, for messages.
   * @param wasm a module that defines its memory.
   */
  constructor(format: string, wasm: Uint8Array) {
    this.#format = format;
    this.#wasm = wasm;
  }

  /** The module with a memory that grows to `memoryBytes` or up to twice of it, and no further. */
  module(memoryBytes: number): WebAssembly.Module {
    const limit = 2 ** Math.ceil(Math.log2(Math.max(MIN_MEMORY, memoryBytes)));
    let module = this.#modules.get(limit);
    if (!module) {
      module = new WebAssembly.Module(limitMemory(this.#wasm, limit));
      this.#modules.set(limit, module);
    }
    return module;
  }

  /**
   * Runs a decoder on an instance of its own, as one that has trapped must not be used again.
   *
   * @throws {ImageDecodeError} for every way in which the code can fail.
   * @throws {RangeError} if there is no memory for an instance.
   */
  decode<T>(memoryBytes: number, decode: (instance: DecoderInstance) => T): T {
    const instance = new DecoderInstance(this.module(memoryBytes));
    try {
      return decode(instance);
    } catch (error) {
      throw this.toImageDecodeError(error);
    }
  }

  /** An error of the decoder as what it means for the caller; any other error as it is. */
  toImageDecodeError(error: unknown): unknown {
    // A trap, or a view of memory that cannot be: the code was led astray, or ran out of memory.
    const isTrap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    return isTrap
      ? this.damaged("its data are damaged, or take more memory than its size calls for")
      : error;
  }

  /** The error for an image of this format. */
  damaged(what: string): ImageDecodeError {
    return damagedAs(this.#format)(what);
  }
}

/** A function that a decoder exports: handles, pointers and sizes in and out. */
type WasmFunction = (...args: number[]) => number;

/** A fresh instance of one of imagescript's decoders. */
export class DecoderInstance {
  readonly #exports: WebAssembly.Exports;

  constructor(module: WebAssembly.Module) {
    // The names that imagescript's modules import; decoding needs neither to do anything.
    const env = { emscripten_notify_memory_growth() {}, push_to_stream() {} };
    this.#exports = new WebAssembly.Instance(module, { env }).exports;
  }

  /** Calls an exported function. */
  call(name: string, ...args: number[]): number {
    return (this.#exports[name] as WasmFunction)(...args);
  }

  /**
   * `length` bytes of the instance's memory: a view that the next call may detach.
   *
   * @throws {RangeError} if they do not lie in the memory.
   */
  view(pointer: number, length: number): Uint8Array {
    const { buffer } = this.#exports.memory as WebAssembly.Memory;
    return new Uint8Array(buffer, pointer >>> 0, length);
  }

  /** Copies a file into the instance's memory and returns where it lies. */
  copyIn(bytes: Uint8Array): number {
    const pointer = this.call("walloc", bytes.length);
    this.view(pointer, bytes.length).set(bytes);
    return pointer;
  }
}
