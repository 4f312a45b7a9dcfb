import pngWasm from "../../../wasm/decoders/png.wasm.ts";
import { concat } from "@std/bytes/concat";
import type { RawImage } from "../raw_image.ts";
import { type PngHeader, readChunks } from "./png_header.ts";
import { dropAlpha } from "./rgba.ts";
import { WasmDecoder } from "../wasm/wasm_decoder.ts";

/** RGBA, and rows of up to 16 bits per sample during decoding. */
const MEMORY_PER_PIXEL = 16;

const decoder = new WasmDecoder("PNG", pngWasm, 82);

/** The decoder's status codes. */
const REASONS: Readonly<Record<number, string>> = {
  [-2]: "its header is damaged",
  [-4]: "it is too large",
  [-6]: "it needs too much memory",
  [-8]: "its data are damaged",
};

/** Decodes a PNG's pixels as they are stored; see {@linkcode decodeImage}. */
export function decodePng(bytes: Uint8Array, { width, height, isAnimated }: PngHeader): RawImage {
  if (isAnimated) bytes = withoutAnimation(bytes);
  const memory = bytes.length + width * height * MEMORY_PER_PIXEL;
  return decoder.decode(memory, (wasm) => {
    const pointer = wasm.call("decode", wasm.copyIn(bytes), bytes.length);
    if (pointer <= 0) throw decoder.damaged(REASONS[pointer] ?? "its data are damaged");
    if (wasm.call("width") !== width || wasm.call("height") !== height) {
      throw decoder.damaged("its data contradict its header");
    }
    return { width, height, data: dropAlpha(wasm.view(pointer, 4 * width * height)) };
  });
}

/** APNG's chunks, removed because the decoder would return a frame's pixels instead of the image's. */
const ANIMATION = ["acTL", "fcTL", "fdAT"];

function withoutAnimation(bytes: Uint8Array): Uint8Array {
  const chunks = [...readChunks(bytes)].filter(({ type }) => !ANIMATION.includes(type));
  return concat([bytes.subarray(0, 8), ...chunks.map(({ whole }) => whole)]);
}
