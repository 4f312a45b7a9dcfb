import mozjpegFactory from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import mozjpegWasm from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm" with { type: "bytes" };
import type { Image } from "../image.ts";
import { WasmDecoder } from "../wasm/wasm_decoder.ts";
import type { JpegHeader } from "./jpeg_header.ts";
import { dropAlpha } from "./rgba.ts";

/** RGBA, planes and, of a progressive image, all coefficients. */
const MEMORY_PER_PIXEL = 16;
/** Data, stack and the first allocations, in pages of 64 KiB. */
const INITIAL_PAGES = 16;

const decoder = new WasmDecoder("JPEG", mozjpegWasm, INITIAL_PAGES);

/**
 * Decodes a JPEG with mozjpeg to the pixels of libjpeg-turbo, and so of Pillow, without applying its
 * orientation; see {@linkcode decodeImage}.
 *
 * @param header that of `bytes`; grey or three components.
 */
export async function decodeJpegExactly(
  bytes: Uint8Array,
  { width, height }: JpegHeader,
): Promise<Image> {
  // libjpeg would fill up what is missing; Pillow refuses it, too.
  if (!hasEnd(bytes)) throw decoder.damaged("it is cut off");
  using warm = decoder.memory(bytes.length + width * height * MEMORY_PER_PIXEL);
  const { memory } = warm;
  try {
    const wasm = await mozjpegFactory({
      noInitialRun: true,
      instantiateWasm(
        imports: WebAssembly.Imports,
        done: (instance: WebAssembly.Instance) => void,
      ) {
        const instance = new WebAssembly.Instance(decoder.module, { ...imports, env: { memory } });
        done(instance);
        return instance.exports;
      },
      // Errors are thrown; libjpeg's warnings are those that Pillow ignores.
      print() {},
      printErr() {},
    });
    const turns = false; // by EXIF
    const decoded: ImageData = wasm.decode(bytes, turns);
    if (decoded.width !== width || decoded.height !== height) {
      throw decoder.damaged("its data contradict its header");
    }
    return { width, height, data: dropAlpha(decoded.data as Uint8ClampedArray) };
  } catch (error) {
    // libjpeg ends the program at an error.
    if ((error as Error).name === "ExitStatus") throw decoder.damaged("its data are damaged");
    throw decoder.toImageDecodeError(error);
  }
}

/** Whether an end of image follows; in entropy-coded data, FF is not followed by D9. */
function hasEnd(bytes: Uint8Array): boolean {
  for (let at = bytes.lastIndexOf(0xd9); at > 0; at = bytes.lastIndexOf(0xd9, at - 1)) {
    if (bytes[at - 1] === 0xff) return true;
  }
  return false;
}
