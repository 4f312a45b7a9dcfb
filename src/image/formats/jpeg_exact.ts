import mozjpegFactory from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import mozjpegWasm from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm" with { type: "bytes" };
import type { Image } from "../image.ts";
import { EmscriptenDecoder } from "../wasm/emscripten_decoder.ts";
import type { JpegHeader } from "./jpeg_header.ts";

/** RGBA, planes and, of a progressive image, all coefficients. */
const MEMORY_PER_PIXEL = 16;
/** Data, stack and the first allocations, in pages of 64 KiB. */
const INITIAL_PAGES = 16;

const decoder = new EmscriptenDecoder("JPEG", mozjpegFactory, mozjpegWasm, INITIAL_PAGES);

/**
 * Decodes a JPEG with mozjpeg to the pixels of libjpeg-turbo, and so of Pillow, without applying its
 * orientation; see {@linkcode decodeImage}.
 *
 * @param header that of `bytes`; it has one or three components.
 */
export async function decodeJpegExactly(bytes: Uint8Array, header: JpegHeader): Promise<Image> {
  // libjpeg fills up the rest of a file that is cut off; Pillow refuses it.
  if (!hasEnd(bytes.subarray(header.scanStart))) throw decoder.damaged("it is cut off");
  const memory = bytes.length + header.width * header.height * MEMORY_PER_PIXEL;
  const applyOrientation = false;
  return await decoder.decode(bytes, header, memory, applyOrientation);
}

/** Whether an end of image is among scans: in entropy-coded data, an FF byte precedes 0. */
function hasEnd(scans: Uint8Array): boolean {
  for (let at = scans.lastIndexOf(0xd9); at > 0; at = scans.lastIndexOf(0xd9, at - 1)) {
    if (scans[at - 1] === 0xff) return true;
  }
  return false;
}
