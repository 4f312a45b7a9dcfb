import { type ExifOrientation, readOrientation } from "./exif.ts";
import { damagedAs } from "../image_decode_error.ts";
import type { ImageHeader } from "../image_header.ts";

const damaged = damagedAs("WebP");

/** What a WebP says, with where its picture is. */
export interface WebpHeader extends Omit<ImageHeader, "format"> {
  /** The first frame of an animation: its place on the canvas, and where its chunks begin and end. */
  readonly firstFrame?: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
    readonly chunks: readonly [begin: number, end: number];
  };
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const EXIF_PREFIX = "Exif\0\0";

/**
 * Reads the RIFF chunks of a WebP: `VP8 `, `VP8L` or `VP8X` for the size, `ANMF` for frames, `EXIF`
 * for the orientation. https://developers.google.com/speed/webp/docs/riff_container
 *
 * @throws {ImageDecodeError} if the first chunk is not an image, or an animation has no frame or its
 * first frame exceeds the canvas.
 */
export function readWebpHeader(bytes: Uint8Array): WebpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The RIFF size counts from byte 8; any bytes after it do not belong to the file.
  const end = Math.min(bytes.length, 8 + view.getUint32(4, true));
  const chunks = [...readChunks(bytes.subarray(12, end))];
  const [first] = chunks;
  if (!first) throw damaged("it has no chunk");
  const size = readSize(first);
  const frames = chunks.filter(({ type }) => type === "ANMF");
  const exif = chunks.find(({ type }) => type === "EXIF")?.data;
  const header = {
    ...size,
    bitDepth: 8,
    components: 3 + (hasAlpha(first) ? 1 : 0),
    frames: Math.max(1, frames.length),
    orientation: exif ? orientationOf(exif) : 1 as const,
    // A single-coloured image takes a few bytes at any size.
    plausiblePixels: Infinity,
    memoryPerPixel: 16,
  };
  const isAnimated = first.type === "VP8X" && (first.data[0]! & 2) !== 0;
  if (!isAnimated) return header;
  const frame = frames[0]?.data;
  if (!frame || frame.length < 16) throw damaged("it is an animation without a frame");
  const begin = frame.byteOffset - bytes.byteOffset;
  const firstFrame = {
    left: 2 * uint24(frame, 0),
    top: 2 * uint24(frame, 3),
    width: 1 + uint24(frame, 6),
    height: 1 + uint24(frame, 9),
    chunks: [begin + 16, begin + frame.length] as const,
  };
  const { left, top, width, height } = firstFrame;
  if (left + width > size.width || top + height > size.height) {
    throw damaged("its first frame exceeds its canvas");
  }
  return { ...header, firstFrame };
}

/**
 * Yields the chunks: a type of four letters, a length, data, and a padding byte if the length is odd.
 * The last chunk may be cut off; the decoder decides whether it is needed.
 */
function* readChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    const type = String.fromCharCode(...bytes.subarray(at, at + 4));
    yield { type, data: bytes.subarray(at + 8, at + 8 + length) };
    at += 8 + length + length % 2;
  }
}

function readSize({ type, data }: Chunk): { width: number; height: number } {
  if (type === "VP8X" && data.length >= 10) {
    return { width: 1 + uint24(data, 4), height: 1 + uint24(data, 7) };
  }
  // A key frame: 3 bytes of frame tag, 3 bytes of start code, 14 bits each of width and height.
  if (type === "VP8 " && data.length >= 10 && uint24(data, 3) === 0x2a019d) {
    return {
      width: (data[6]! | data[7]! << 8) & 0x3fff,
      height: (data[8]! | data[9]! << 8) & 0x3fff,
    };
  }
  // 1 byte of signature, 14 bits each of width − 1 and height − 1, 1 bit for alpha.
  if (type === "VP8L" && data.length >= 5 && data[0] === 0x2f) {
    const bits = (data[1]! | data[2]! << 8 | data[3]! << 16 | data[4]! << 24) >>> 0;
    return { width: 1 + (bits & 0x3fff), height: 1 + (bits >>> 14 & 0x3fff) };
  }
  throw damaged("its first chunk is not an image");
}

function hasAlpha({ type, data }: Chunk): boolean {
  if (type === "VP8X") return (data[0]! & 0x10) !== 0;
  return type === "VP8L" && (data[4]! & 0x10) !== 0;
}

/** Reads EXIF's orientation. Some writers put JPEG's `Exif` prefix before the TIFF structure. */
function orientationOf(exif: Uint8Array): ExifOrientation {
  const prefix = String.fromCharCode(...exif.subarray(0, EXIF_PREFIX.length));
  return readOrientation(prefix === EXIF_PREFIX ? exif.subarray(EXIF_PREFIX.length) : exif);
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
}
