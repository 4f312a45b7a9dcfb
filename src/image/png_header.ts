import { type Orientation, readOrientation } from "./exif.ts";
import { ImageDecodeError } from "./image_decode_error.ts";
import type { ImageHeader } from "./image_header.ts";

/** Samples a pixel by colour type: grey, colour, palette, grey with alpha, colour with alpha. */
const COMPONENTS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Deflate's best: 258 bytes for two bits, with what a block's own code costs. */
const MAX_INFLATION = 1032;

/**
 * Reads a PNG's IHDR chunk and walks over the others: IDAT for how much data there is, eXIf for the
 * orientation, acTL for the number of frames.
 *
 * @throws {ImageDecodeError} if the file does not begin with IHDR.
 */
export function readPngHeader(bytes: Uint8Array): Omit<ImageHeader, "format"> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(8) !== 13 || chunkType(bytes, 8) !== "IHDR") {
    throw damaged("it does not begin with its header");
  }
  const bitDepth = bytes[24]!;
  const components = COMPONENTS[bytes[25]!];
  if (components === undefined || ![1, 2, 4, 8, 16].includes(bitDepth)) {
    throw damaged(`it has colour type ${bytes[25]} with ${bitDepth} bits, which PNG does not know`);
  }
  let orientation: Orientation = 1;
  let frames = 1;
  let dataBytes = 0;
  // A chunk is its length, type, data and a checksum of four bytes.
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const data = bytes.subarray(at + 8, at + 8 + length);
    const type = chunkType(bytes, at);
    if (type === "IDAT") dataBytes += data.length;
    else if (type === "eXIf") orientation = readOrientation(data);
    else if (type === "acTL" && length >= 4) frames = Math.max(1, view.getUint32(at + 8));
    at += 12 + length;
  }
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    bitDepth,
    components,
    frames,
    orientation,
    plausiblePixels: dataBytes * MAX_INFLATION * 8 / (bitDepth * components),
  };
}

function chunkType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}

function damaged(what: string): ImageDecodeError {
  return new ImageDecodeError(`Cannot decode the PNG image: ${what}`);
}
