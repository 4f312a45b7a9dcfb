import { countGarbage } from "../../tensor/memory_pressure.ts";
import type { Image } from "../image.ts";
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

/** A module on a memory, as it was before its first image. */
interface Initialized {
  readonly module: EmscriptenModule;
  /** The memory's first bytes; all others were 0. */
  readonly snapshot: Uint8Array;
  /** The memory's buffer: when another decoder makes the memory grow, this module's views are lost. */
  buffer: ArrayBufferLike;
}

/**
 * A decoder of jSquash. Making an instance takes longer than a small image, so that one stays with its
 * memory: before each image, the memory is as it was before the first.
 */
export class EmscriptenDecoder {
  readonly #decoder: WasmDecoder;
  readonly #factory: EmscriptenFactory;
  readonly #initialized = new WeakMap<WebAssembly.Memory, Initialized>();

  /** See {@linkcode WasmDecoder}. */
  constructor(format: string, factory: EmscriptenFactory, wasm: Uint8Array, pages: number) {
    this.#decoder = new WasmDecoder(format, wasm, pages);
    this.#factory = factory;
  }

  /**
   * Decodes an image of a known size.
   *
   * @param memoryBytes the limit of its memory, which is rounded up.
   * @param settings further arguments of the module's function.
   * @throws {ImageDecodeError} if the data are damaged.
   * @throws {RangeError} if the host has no memory.
   */
  async decode(
    bytes: Uint8Array,
    { width, height }: { readonly width: number; readonly height: number },
    memoryBytes: number,
    ...settings: readonly boolean[]
  ): Promise<Image> {
    using warm = this.#decoder.memory(memoryBytes);
    const { memory } = warm;
    const initialized = await this.#initialize(memory);
    // An instance that threw may be in any state: the next image gets another one.
    this.#initialized.delete(memory);
    let decoded: ImageData | null;
    try {
      decoded = initialized.module.decode(bytes, ...settings);
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
    return { width, height, data: dropAlpha(data as Uint8ClampedArray) };
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
    const module = await this.#factory({
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
    const { buffer } = memory;
    const written = new Uint8Array(buffer);
    let end = written.length;
    while (end > 0 && written[end - 1] === 0) end--;
    return { module, snapshot: written.slice(0, end), buffer };
  }
}
