import type { WasmSource } from "../../host/wasm_source.ts";
import { countGarbage, discard } from "../../tensor/memory_pressure.ts";
import type { RawImage } from "../raw_image.ts";
import { dropAlpha } from "../formats/rgba.ts";
import { WasmDecoder } from "./wasm_decoder.ts";

/** What jSquash's modules export. */
export interface EmscriptenModule {
  decode(bytes: Uint8Array, ...settings: readonly boolean[]): ImageData | null;
}

/** jSquash's code around a module. */
export type EmscriptenFactory = (settings: {
  readonly noInitialRun: true;
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
  print(): void;
  printErr(): void;
}) => Promise<EmscriptenModule>;

/** What jSquash has for a format. */
export interface EmscriptenCodec {
  readonly factory: EmscriptenFactory;
  /** A module that imports its memory. */
  readonly wasm: WasmSource;
  /** The memory that it starts with, in pages of 64 KiB: data, stack and the first allocations. */
  readonly pages: number;
  /** The arguments of its function after the file. */
  readonly settings: readonly boolean[];
  /**
   * A small image of the format. At its first image, a module registers JavaScript functions and remembers
   * that in its memory; if that were reset, it would register them again for each image, and they hold
   * the pixels.
   */
  readonly first: Uint8Array;
}

/** A module on a memory, and the memory after the first image. */
interface Initialized {
  readonly module: EmscriptenModule;
  /** The memory's first bytes; all others are 0. */
  readonly snapshot: Uint8Array;
  /** The memory's buffer: when another decoder makes the memory grow, this module's views are lost. */
  buffer: ArrayBufferLike;
}

/**
 * A decoder of jSquash. Making an instance takes longer than decoding a small image, so the instance stays
 * with its memory. Before each image, the memory is reset to its state after a known first image.
 */
export class EmscriptenDecoder {
  readonly #decoder: WasmDecoder;
  readonly #codec: EmscriptenCodec;
  readonly #initialized = new WeakMap<WebAssembly.Memory, Initialized>();

  /** @param format the format's name, for error messages. */
  constructor(format: string, codec: EmscriptenCodec) {
    this.#decoder = new WasmDecoder(format, codec.wasm, codec.pages);
    this.#codec = codec;
  }

  /**
   * Decodes an image of a known size.
   *
   * @param memoryBytes the limit of its memory, which is rounded up.
   * @throws {ImageDecodeError} if the data are damaged.
   * @throws {RangeError} if the host has no memory.
   */
  async decode(
    bytes: Uint8Array,
    { width, height }: { readonly width: number; readonly height: number },
    memoryBytes: number,
  ): Promise<RawImage> {
    using warm = this.#decoder.memory(memoryBytes);
    const { memory } = warm;
    const initialized = await this.#initialize(memory);
    // An instance that threw may be in any state: the next image gets another one.
    this.#initialized.delete(memory);
    let decoded: ImageData | null;
    try {
      decoded = initialized.module.decode(bytes, ...this.#codec.settings);
    } catch (error) {
      // libjpeg ends its program at an error.
      if ((error as Error)?.name === "ExitStatus") throw this.damaged("its data are damaged");
      throw this.#decoder.toImageDecodeError(error);
    }
    initialized.buffer = memory.buffer;
    this.#initialized.set(memory, initialized);
    if (!decoded) throw this.damaged("its data are damaged");
    if (decoded.width !== width || decoded.height !== height) {
      throw this.damaged("its data contradict its header");
    }
    const { data } = decoded;
    countGarbage(data.length);
    const rgb = dropAlpha(data as Uint8ClampedArray);
    discard(data as Uint8ClampedArray);
    return { width, height, data: rgb };
  }

  /** Creates an error for an image of this format. */
  damaged(what: string): Error {
    return this.#decoder.damaged(what);
  }

  /** A module on a memory that is all zeros. */
  async #initialize(memory: WebAssembly.Memory): Promise<Initialized> {
    const earlier = this.#initialized.get(memory);
    if (earlier?.buffer === memory.buffer) {
      new Uint8Array(memory.buffer).set(earlier.snapshot);
      return earlier;
    }
    const { module: wasm } = this.#decoder;
    const { factory, first, settings } = this.#codec;
    const module = await factory({
      noInitialRun: true,
      instantiateWasm(imports, done) {
        const instance = new WebAssembly.Instance(wasm, { ...imports, env: { memory } });
        done(instance);
        return instance.exports;
      },
      // Errors are thrown; warnings are those that Pillow ignores.
      print() {},
      printErr() {},
    });
    module.decode(first, ...settings);
    const { buffer } = memory;
    const written = new Uint8Array(buffer);
    let end = written.length;
    while (end > 0 && written[end - 1] === 0) end--;
    return { module, snapshot: written.slice(0, end), buffer };
  }
}
