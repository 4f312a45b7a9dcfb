import jpegWasm from "imagescript/wasm/any/jpeg.wasm" with { type: "bytes" };
import { withDecoder } from "./decoder_module.ts";
import type { Image } from "./image.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import type { ImageHeader } from "./image_header.ts";

let module: WebAssembly.Module | undefined;

/** Decodes a JPEG's pixels as they are stored; see {@linkcode decodeImage}. */
export function decodeJpeg(bytes: Uint8Array, header: ImageHeader): Image {
  module ??= new WebAssembly.Module(jpegWasm);
  return withDecoder(module, "JPEG", (wasm) => {
    // A size of 0 × 0 asks for the full resolution.
    const handle = wasm.call("decode", wasm.copyIn(bytes), bytes.length, 0, 0);
    if (handle === 0) {
      throw new ImageDecodeError("Cannot decode the JPEG image: its data are damaged");
    }
    const width = wasm.call("decode_width", handle);
    const height = wasm.call("decode_height", handle);
    if (width !== header.width || height !== header.height) {
      throw new ImageDecodeError("Cannot decode the JPEG image: its frames contradict each other");
    }
    const pointer = wasm.call("decode_buffer", handle);
    const pixels = wasm.view(pointer, wasm.call("wlen"));
    return { width, height, data: toRgb(pixels, wasm.call("decode_format", handle)) };
  });
}

/** The decoder's pixel formats are 0 grey, 1 RGB and 2 CMYK; the bytes returned are a copy. */
function toRgb(pixels: Uint8Array, format: number): Uint8Array {
  if (format === 1) return pixels.slice();
  const channels = format === 0 ? 1 : 4;
  const count = pixels.length / channels;
  const rgb = new Uint8Array(3 * count);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += channels, to += 3) {
    for (let c = 0; c < 3; c++) {
      rgb[to + c] = format === 0 ? pixels[from]! : inkToLight(pixels[from + c]!, pixels[from + 3]!);
    }
  }
  return rgb;
}

/** One channel of Pillow's `cmyk2rgb` (libImaging/Convert.c); 255 is full ink. */
function inkToLight(ink: number, black: number): number {
  const light = 255 - black;
  const product = ink * light + 128;
  return light - (((product >> 8) + product) >> 8);
}
