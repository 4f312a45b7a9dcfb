import pngWasm from "imagescript/wasm/any/png.wasm" with { type: "bytes" };
import { withDecoder } from "./decoder_module.ts";
import type { Image } from "./image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import type { ImageHeader } from "./image_header.ts";
import { dropAlpha } from "./rgba.ts";

let module: WebAssembly.Module | undefined;

/** The decoder's own status codes, all below 0. */
const REASONS: Readonly<Record<number, string>> = {
  [-2]: "its header is damaged",
  [-4]: "it is too large",
  [-6]: "it needs too much memory",
  [-8]: "its data are damaged",
};

/** Decodes a PNG's pixels as they are stored; see {@linkcode decodeImage}. */
export function decodePng(bytes: Uint8Array, { width, height }: ImageHeader): Image {
  module ??= new WebAssembly.Module(pngWasm);
  return withDecoder(module, "PNG", (wasm) => {
    const pointer = wasm.call("decode", wasm.copyIn(bytes), bytes.length);
    if (pointer <= 0) {
      const reason = REASONS[pointer] ?? "its data are damaged";
      throw new ImageDecodeError(`Cannot decode the PNG image: ${reason}`);
    }
    return { width, height, data: dropAlpha(wasm.view(pointer, 4 * width * height)) };
  });
}
