import gifWasm from "imagescript/wasm/any/gif.wasm" with { type: "bytes" };
import { withDecoder } from "./decoder_module.ts";
import { readGifHeader } from "./gif_header.ts";
import type { Image } from "./image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import { dropAlpha } from "./rgba.ts";

let module: WebAssembly.Module | undefined;

/** Decodes a GIF's first frame on its logical screen; see {@linkcode decodeImage}. */
export function decodeGif(bytes: Uint8Array): Image {
  module ??= new WebAssembly.Module(gifWasm);
  const { width, height, background } = readGifHeader(bytes);
  return withDecoder(module, "GIF", (wasm) => {
    const decoder = wasm.call("decoder_new", wasm.copyIn(bytes), bytes.length, 0);
    // 0 is a failure, 1 the end of the file.
    const frame = decoder === 0 ? 0 : wasm.call("decoder_frame", decoder);
    if (frame === 0 || frame === 1) {
      throw new ImageDecodeError("Cannot decode the GIF image: its data are damaged");
    }
    const left = wasm.call("decoder_frame_x", frame);
    const top = wasm.call("decoder_frame_y", frame);
    const frameWidth = wasm.call("decoder_frame_width", frame);
    const frameHeight = wasm.call("decoder_frame_height", frame);
    const pointer = wasm.call("decoder_frame_buffer", frame);
    const pixels = dropAlpha(wasm.view(pointer, 4 * frameWidth * frameHeight));
    if (frameWidth === width && frameHeight === height) return { width, height, data: pixels };

    const data = new Uint8Array(3 * width * height);
    for (let i = 0; i < data.length; i += 3) data.set(background, i);
    for (let y = 0; y < frameHeight; y++) {
      const row = pixels.subarray(3 * frameWidth * y, 3 * frameWidth * (y + 1));
      data.set(row, 3 * ((top + y) * width + left));
    }
    return { width, height, data };
  });
}
