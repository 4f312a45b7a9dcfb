import { ImageDecodeError } from "./image_decode_error.ts";

/** A function that a decoder's WebAssembly module exports: handles, pointers and sizes in and out. */
export type WasmFunction = (...args: number[]) => number;

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

  /** `length` bytes of the instance's memory: a view that the next call may detach. */
  view(pointer: number, length: number): Uint8Array {
    const { buffer } = this.#exports.memory as WebAssembly.Memory;
    return new Uint8Array(buffer, pointer, length);
  }

  /** Copies a file into the instance's memory and returns where it lies. */
  copyIn(bytes: Uint8Array): number {
    const pointer = this.call("walloc", bytes.length);
    this.view(pointer, bytes.length).set(bytes);
    return pointer;
  }
}

/**
 * Runs a decoder on an instance of its own, as a decoder that has trapped must not be used again.
 * Every failure inside WebAssembly becomes an {@linkcode ImageDecodeError}.
 */
export function withDecoder<T>(
  module: WebAssembly.Module,
  format: string,
  decode: (instance: DecoderInstance) => T,
): T {
  try {
    return decode(new DecoderInstance(module));
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      throw new ImageDecodeError(`Cannot decode the ${format} image: its data are damaged`);
    }
    throw error;
  }
}
