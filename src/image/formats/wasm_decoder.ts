import { damagedAs, type ImageDecodeError } from "../image_decode_error.ts";
import { limitMemory } from "./limit_memory.ts";

/** The smallest memory limit in bytes. Limits are powers of two, so that few modules are compiled. */
const MIN_MEMORY = 2 ** 25;

/** A decoder in WebAssembly, compiled with a memory limit that depends on the image. */
export class WasmDecoder {
  readonly #format: string;
  readonly #wasm: Uint8Array;
  readonly #modules = new Map<number, WebAssembly.Module>();

  /**
   * @param format the format's name, for error messages.
   * @param wasm a module that defines its memory.
   */
  constructor(format: string, wasm: Uint8Array) {
    this.#format = format;
    this.#wasm = wasm;
  }

  /** Returns the module with a memory limit of at least `memoryBytes`, rounded up to a power of two. */
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
   * Runs a decoder on a new instance, because an instance that trapped must not be reused.
   *
   * @throws {ImageDecodeError} if the WebAssembly code traps or reports an error.
   * @throws {RangeError} if the host has no memory for an instance.
   */
  decode<T>(memoryBytes: number, decode: (instance: DecoderInstance) => T): T {
    const instance = new DecoderInstance(this.module(memoryBytes));
    try {
      return decode(instance);
    } catch (error) {
      throw this.toImageDecodeError(error);
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
  readonly #exports: WebAssembly.Exports;

  constructor(module: WebAssembly.Module) {
    // imagescript's modules import these functions; decoding works without their effects.
    const env = { emscripten_notify_memory_growth() {}, push_to_stream() {} };
    this.#exports = new WebAssembly.Instance(module, { env }).exports;
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
    const { buffer } = this.#exports.memory as WebAssembly.Memory;
    return new Uint8Array(buffer, pointer >>> 0, length);
  }

  /** Copies a file into the instance's memory and returns its address. */
  copyIn(bytes: Uint8Array): number {
    const pointer = this.call("walloc", bytes.length);
    this.view(pointer, bytes.length).set(bytes);
    return pointer;
  }
}
