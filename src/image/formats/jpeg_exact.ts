import mozjpegFactory from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import mozjpegWasm from "../../../wasm/decoders/mozjpeg.wasm.ts";
import { fromBase64 } from "../../tensor/base64.ts";
import type { RawImage } from "../raw_image.ts";
import { EmscriptenDecoder } from "../wasm/emscripten_decoder.ts";
import type { JpegHeader } from "./jpeg_header.ts";

/** RGBA, planes and, of a progressive image, all coefficients. */
const MEMORY_PER_PIXEL = 16;

/** A grey JPEG of one pixel. */
const ONE_PIXEL = fromBase64(
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19i" +
    "Z2hnPk1xeXBkeFxlZ2P/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAB//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI" +
    "AQEAAD8AQH//2Q==",
);

const appliesOrientation = false;

const decoder = new EmscriptenDecoder("JPEG", {
  factory: mozjpegFactory,
  wasm: mozjpegWasm,
  pages: 16,
  settings: [appliesOrientation],
  first: ONE_PIXEL,
});

/**
 * Decodes a JPEG with mozjpeg to the pixels of libjpeg-turbo, and so of Pillow, without applying its
 * orientation; see {@linkcode decodeImage}.
 *
 * @param header that of `bytes`; it has one or three components.
 */
export async function decodeJpegExactly(bytes: Uint8Array, header: JpegHeader): Promise<RawImage> {
  // libjpeg fills up the rest of a file that is cut off; Pillow refuses it.
  if (!hasEnd(bytes.subarray(header.scanStart))) throw decoder.damaged("it is cut off");
  const memory = bytes.length + header.width * header.height * MEMORY_PER_PIXEL;
  return await decoder.decode(bytes, header, memory);
}

/** Whether an end of image is among scans: in entropy-coded data, an FF byte precedes 0. */
function hasEnd(scans: Uint8Array): boolean {
  for (let at = scans.lastIndexOf(0xd9); at > 0; at = scans.lastIndexOf(0xd9, at - 1)) {
    if (scans[at - 1] === 0xff) return true;
  }
  return false;
}
