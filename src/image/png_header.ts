import { type Orientation, readOrientation } from "./exif.ts";
import { ImageDecodeError } from "./image_decode_error.ts";

/** What a PNG's chunks say. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
}

/**
 * Reads a PNG's IHDR chunk and, where there is one, its eXIf chunk.
 *
 * @throws {ImageDecodeError} if the file does not begin with IHDR.
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(8) !== 13 || chunkType(bytes, 8) !== "IHDR") {
    throw new ImageDecodeError("Cannot decode the PNG image: it does not begin with its header");
  }
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  return { width, height, orientation: findOrientation(bytes, view) };
}

function findOrientation(bytes: Uint8Array, view: DataView): Orientation {
  // A chunk is its length, type, data and a checksum.
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (chunkType(bytes, at) === "eXIf") {
      return readOrientation(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
    }
  }
  return 1;
}

function chunkType(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + 8));
}
