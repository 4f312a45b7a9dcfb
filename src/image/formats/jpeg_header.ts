import { type ExifOrientation, readOrientation } from "./exif.ts";
import { damagedAs } from "../image_decode_error.ts";
import type { ImageHeader } from "../image_header.ts";
import { asStored, jpegScale, type Size } from "./jpeg_scale.ts";

const damaged = damagedAs("JPEG");

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
const JFIF = [0x4a, 0x46, 0x49, 0x46, 0]; // "JFIF\0"
const ADOBE = [0x41, 0x64, 0x6f, 0x62, 0x65]; // "Adobe"

/** A JPEG's header, read from its markers. */
export interface JpegHeader extends Omit<ImageHeader, "format"> {
  /**
   * The change that makes the decoder interpret colours as libjpeg does. `add-adobe`: the file has no
   * Adobe marker and four components, or neither JFIF nor Adobe marker and components named R, G and B.
   * `ignore-adobe`: with three components, a JFIF marker means YCbCr and overrides the Adobe marker.
   */
  readonly correction: "add-adobe" | "ignore-adobe" | undefined;
  /** Where the data of the first scan begin, in bytes. */
  readonly scanStart: number;
  /** The byte range of the Adobe segment, including its marker, if it exists. */
  readonly adobe: readonly [begin: number, end: number] | undefined;
}

/** The contents of a start-of-frame segment. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  /** The component identifiers as characters. */
  readonly names: string;
  /** The most pixels that one byte of entropy-coded data can hold. */
  readonly pixelsPerByte: number;
  /** Bytes of coefficients that are kept, for each pixel; scaling does not lessen them. */
  readonly coefficientsPerPixel: number;
}

/**
 * A progressive image usually has about ten scans. Decoding a scan visits every block, even if its data
 * are a few bytes long, so thousands of scans would occupy the decoder for minutes.
 */
const MAX_SCANS = 100;

/**
 * Reads a JPEG's markers up to the first scan, and counts the scans.
 *
 * @param minimum the upright size that will do, if the image is scaled down while it is decoded.
 * @throws {ImageDecodeError} if the markers are damaged, there is no scan or more than 100, or the
 * coding process, the bits per sample or the number of components is not supported.
 */
export function readJpegHeader(bytes: Uint8Array, minimum?: Size): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: ExifOrientation | undefined;
  let frame: Frame | undefined;
  let jfif = false;
  let adobe: [number, number] | undefined;
  let at = 2; // after the start of image
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) { // garbage between segments; libjpeg skips it, too
      at++;
      continue;
    }
    const marker = bytes[at + 1]!;
    if (marker === 0xff) { // fill byte
      at++;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) { // markers without a segment
      at += 2;
      continue;
    }
    if (marker === 0xd9) break; // end of image
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) throw damaged("it is cut off");
    const segment = bytes.subarray(at + 4, at + 2 + length);
    const begin = at;
    at += 2 + length;
    if (marker === 0xda) { // start of scan
      if (!frame) throw damaged("it has no frame before its first scan");
      const { width, height, components, pixelsPerByte, coefficientsPerPixel } = frame;
      const scans = 1 + countScans(bytes, at);
      if (scans > MAX_SCANS) {
        throw damaged(`it has ${scans} scans; at most ${MAX_SCANS} are supported`);
      }
      const needsAdobe = !adobe && (components === 4 || frame.names === "RGB" && !jfif);
      const overruled = adobe && jfif && components === 3;
      const scale = jpegScale(frame, asStored(minimum, orientation ?? 1));
      return {
        width,
        height,
        bitDepth: 8,
        components,
        frames: 1,
        orientation: orientation ?? 1,
        correction: needsAdobe ? "add-adobe" : overruled ? "ignore-adobe" : undefined,
        adobe,
        scanStart: at,
        plausiblePixels: (bytes.length - at) * pixelsPerByte,
        // Planes and pixels, and coefficients.
        memoryPerPixel: (4 + 2 * components) / scale ** 2 + coefficientsPerPixel,
      };
    }
    if (marker === 0xe1 && startsWith(segment, EXIF)) {
      orientation ??= readOrientation(segment.subarray(EXIF.length));
    }
    if (marker === 0xe0 && startsWith(segment, JFIF)) jfif = true;
    if (marker === 0xee && startsWith(segment, ADOBE)) adobe = [begin, at];
    if (marker >= 0xc0 && marker <= 0xc2) {
      if (frame) throw damaged("it has more than one frame");
      frame = readFrame(segment, marker === 0xc2);
    }
    const unsupported = UNSUPPORTED_FRAMES[marker];
    if (unsupported) {
      throw damaged(`it is ${unsupported}; supported are baseline and progressive`);
    }
  }
  throw damaged("it ends before its first scan");
}

/** Counts start-of-scan markers. In entropy-coded data, an FF byte that is not a marker precedes 0. */
function countScans(bytes: Uint8Array, from: number): number {
  let scans = 0;
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xda) scans++;
  }
  return scans;
}

function readFrame(segment: Uint8Array, progressive: boolean): Frame {
  const components = segment[5] ?? 0;
  if (segment.length < 6 + 3 * components) throw damaged("its frame is cut off");
  if (segment[0] !== 8) throw damaged(`it has ${segment[0]} bits per sample; only 8 are supported`);
  if (![1, 3, 4].includes(components)) {
    throw damaged(`it has ${components} components; supported are 1, 3 and 4`);
  }
  // In each unit of (8 · max h) × (8 · max v) pixels, a component with the sampling factors h and v has
  // h · v blocks of 8 × 8. A single component has units of one block.
  let [maxH, maxV, blocks] = [1, 1, 0];
  let names = "";
  for (let c = 0; c < components; c++) {
    const factors = segment[7 + 3 * c]!;
    names += String.fromCharCode(segment[6 + 3 * c]!);
    const [h, v] = [factors >> 4, factors & 15];
    if (h < 1 || h > 4 || v < 1 || v > 4) throw damaged("a sampling factor is out of range");
    [maxH, maxV, blocks] = [Math.max(maxH, h), Math.max(maxV, v), blocks + h * v];
  }
  const pixelsPerBlock = components === 1 ? 64 : 64 * maxH * maxV / blocks;
  // A block takes at least one bit for DC and, in a sequential frame, one for end-of-block.
  const blocksPerByte = progressive ? 8 : 4;
  // Partial blocks at the right and lower edge are ignored: they only lower the number of pixels.
  return {
    height: segment[1]! << 8 | segment[2]!,
    width: segment[3]! << 8 | segment[4]!,
    components,
    names,
    pixelsPerByte: blocksPerByte * pixelsPerBlock,
    // A progressive frame keeps all of them, of two bytes.
    coefficientsPerPixel: progressive ? 128 / pixelsPerBlock : 0,
  };
}

function startsWith(segment: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => segment[i] === byte);
}
