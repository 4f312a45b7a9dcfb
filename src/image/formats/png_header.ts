import { type ExifOrientation, readOrientation } from "./exif.ts";
import { damagedAs } from "../image_decode_error.ts";
import type { ImageHeader } from "../image_header.ts";

const damaged = damagedAs("PNG");

/** Samples a pixel by colour type: grey, colour, palette, grey with alpha, colour with alpha. */
const COMPONENTS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Deflate's highest ratio: 258 bytes for two bits, including the cost of a block's code. */
const MAX_INFLATION = 1032;

/** A PNG's header, read from its chunks. */
export interface PngHeader extends Omit<ImageHeader, "format"> {
  /** Whether the file has APNG chunks, which must be removed before decoding. */
  readonly isAnimated: boolean;
}

/**
 * Reads a PNG's IHDR chunk and walks over the others: IDAT for the length of the data, eXIf for the
 * orientation, acTL for the number of frames.
 *
 * @throws {ImageDecodeError} if the file does not begin with IHDR, or its colour type or bit depth does
 * not exist in PNG.
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(8) !== 13 || chunkType(bytes, 8) !== "IHDR") {
    throw damaged("it does not begin with an IHDR chunk");
  }
  const bitDepth = bytes[24]!;
  const components = COMPONENTS[bytes[25]!];
  if (components === undefined || ![1, 2, 4, 8, 16].includes(bitDepth)) {
    throw damaged(`its colour type ${bytes[25]} with ${bitDepth} bits does not exist in PNG`);
  }
  let orientation: ExifOrientation = 1;
  let frames = 1;
  let isAnimated = false;
  let dataBytes = 0;
  for (const { type, data } of readChunks(bytes)) {
    if (type === "IDAT") dataBytes += data.length;
    else if (type === "eXIf") orientation = readOrientation(data);
    else if (type === "acTL") {
      isAnimated = true;
      const [a = 0, b = 0, c = 0, d = 0] = data;
      frames = Math.max(1, (a << 24 | b << 16 | c << 8 | d) >>> 0);
    }
  }
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    bitDepth,
    components,
    frames,
    isAnimated,
    orientation,
    plausiblePixels: dataBytes * MAX_INFLATION * 8 / (bitDepth * components),
    memoryPerPixel: 15,
  };
}

/** A chunk of a PNG: its data, and the whole chunk with length, type and checksum. */
export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
  readonly whole: Uint8Array;
}

/** Yields the chunks after the signature: 4 bytes each of length and type, data, 4 bytes of CRC. */
export function* readChunks(bytes: Uint8Array): Generator<PngChunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    const data = bytes.subarray(at + 8, end - 4);
    yield { type: chunkType(bytes, at), data, whole: bytes.subarray(at, end) };
    at = end;
  }
}

function chunkType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}
