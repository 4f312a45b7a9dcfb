import gifWasm from "../../../wasm/decoders/gif.wasm.ts";
import { concat } from "@std/bytes/concat";
import type { GifHeader } from "./gif_header.ts";
import type { RawImage } from "../raw_image.ts";
import { dropAlpha } from "./rgba.ts";
import { placeOnCanvas } from "./canvas.ts";
import { WasmDecoder } from "../wasm/wasm_decoder.ts";

/** RGBA, and palette indices. */
const MEMORY_PER_PIXEL = 8;

const decoder = new WasmDecoder("GIF", gifWasm, 17);

/** Decodes a GIF's first frame on its logical screen; see {@linkcode decodeImage}. */
export function decodeGif(
  bytes: Uint8Array,
  { width, height, background, hasPalette }: GifHeader,
): RawImage {
  if (!hasPalette) bytes = withGreyPalette(bytes);
  const memory = bytes.length + width * height * MEMORY_PER_PIXEL;
  return decoder.decode(memory, (wasm) => {
    const animation = wasm.call("decoder_new", wasm.copyIn(bytes), bytes.length, 0);
    // The decoder returns 0 on failure and 1 at the end of the file.
    const frame = animation === 0 ? 0 : wasm.call("decoder_frame", animation);
    if (frame === 0 || frame === 1) throw decoder.damaged("its data are damaged");
    const frameWidth = wasm.call("decoder_frame_width", frame);
    const frameHeight = wasm.call("decoder_frame_height", frame);
    const pointer = wasm.call("decoder_frame_buffer", frame);
    const length = wasm.call("wlen");
    if (length !== 4 * frameWidth * frameHeight) {
      throw decoder.damaged("its data contradict its header");
    }
    const image = {
      width: frameWidth,
      height: frameHeight,
      data: dropAlpha(wasm.view(pointer, length)),
    };
    const left = wasm.call("decoder_frame_x", frame);
    const top = wasm.call("decoder_frame_y", frame);
    return placeOnCanvas(image, left, top, { width, height }, background);
  });
}

/** Inserts a global colour table of 256 greys and sets its flag and size in byte 10. */
function withGreyPalette(bytes: Uint8Array): Uint8Array {
  const greys = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));
  const screen = bytes.slice(0, 13);
  screen[10]! |= 0x87;
  return concat([screen, greys, bytes.subarray(13)]);
}
