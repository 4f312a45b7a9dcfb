import { type Orientation, readOrientation } from "./exif.ts";
import { ImageDecodeError } from "./image_decode_error.ts";

/** What a JPEG's marker segments say. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 is grey, 3 colour, 4 CMYK or YCCK. */
  readonly components: number;
  readonly orientation: Orientation;
}

/** Start of frame: each process of ITU-T T.81, table B.1, that the decoder does not know. */
const UNSUPPORTED_FRAMES: Readonly<Record<number, string>> = {
  0xc3: "lossless",
  0xc5: "differential",
  0xc6: "differential",
  0xc7: "differential",
  0xc9: "arithmetic-coded",
  0xca: "arithmetic-coded",
  0xcb: "arithmetic-coded",
  0xcd: "arithmetic-coded",
  0xce: "arithmetic-coded",
  0xcf: "arithmetic-coded",
};

const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0]; // "Exif\0\0"

/**
 * Reads a JPEG's markers up to the start of the first scan.
 *
 * @throws {ImageDecodeError} if they end before it, or the process is not one that is decoded.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: Orientation | undefined;
  let frame: Omit<JpegHeader, "orientation"> | undefined;
  let at = 2; // after the start of image
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) throw damaged("a marker is missing");
    const marker = bytes[at + 1]!;
    if (marker === 0xff) { // fill byte
      at++;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) { // stand alone
      at += 2;
      continue;
    }
    if (marker === 0xd9) break; // end of image
    const length = view.getUint16(at + 2);
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (length < 2 || at + 2 + length > bytes.length) throw damaged("it is cut off");
    if (marker === 0xda) { // start of scan
      if (!frame) throw damaged("no frame comes before the first scan");
      return { ...frame, orientation: orientation ?? 1 };
    }
    if (marker === 0xe1 && EXIF.every((byte, i) => segment[i] === byte)) {
      orientation ??= readOrientation(segment.subarray(EXIF.length));
    }
    if (marker >= 0xc0 && marker <= 0xc2) {
      if (segment.length < 6) throw damaged("its frame is cut off");
      frame = readFrame(view, at + 4);
    }
    const unsupported = UNSUPPORTED_FRAMES[marker];
    if (unsupported) {
      throw new ImageDecodeError(
        `Cannot decode the JPEG image: it is ${unsupported}; baseline and progressive are decoded`,
      );
    }
    at += 2 + length;
  }
  throw damaged("it ends before its first scan");
}

function readFrame(view: DataView, at: number): Omit<JpegHeader, "orientation"> {
  const precision = view.getUint8(at);
  const components = view.getUint8(at + 5);
  if (precision !== 8) {
    throw new ImageDecodeError(
      `Cannot decode the JPEG image: it has ${precision} bits a sample; 8 are decoded`,
    );
  }
  if (![1, 3, 4].includes(components)) {
    throw new ImageDecodeError(
      `Cannot decode the JPEG image: it has ${components} components; 1, 3 and 4 are decoded`,
    );
  }
  return { width: view.getUint16(at + 3), height: view.getUint16(at + 1), components };
}

function damaged(what: string): ImageDecodeError {
  return new ImageDecodeError(`Cannot decode the JPEG image: ${what}`);
}
