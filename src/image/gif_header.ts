import type { Orientation } from "./exif.ts";
import { ImageDecodeError } from "./image_decode_error.ts";

/** What a GIF says up to its first frame. */
export interface GifHeader {
  /** The logical screen, on which the frame lies. */
  readonly width: number;
  readonly height: number;
  /** GIF has no orientation: always 1. */
  readonly orientation: Orientation;
  /** The colour of what the first frame does not cover, as Pillow fills it: 3 bytes. */
  readonly background: Uint8Array;
}

const BLACK = new Uint8Array(3);

/**
 * Reads a GIF's logical screen, the extensions before its first frame and that frame's descriptor.
 *
 * @throws {ImageDecodeError} if it ends before its first frame, or the frame lies off the screen.
 */
export function readGifHeader(bytes: Uint8Array): GifHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 13) throw damaged("its header is cut off");
  const width = view.getUint16(6, true);
  const height = view.getUint16(8, true);
  let palette = colorTable(bytes, 13, bytes[10]!);
  let at = 13 + palette.length;
  let transparent = 0; // Pillow fills with colour 0 where no colour is transparent.
  while (at < bytes.length) {
    const block = bytes[at];
    if (block === 0x21) { // extension
      // Graphic control: its size 4, flags, delay in 2 bytes, transparent colour.
      if (bytes[at + 1] === 0xf9 && bytes[at + 2] === 4 && (bytes[at + 3]! & 1) !== 0) {
        transparent = bytes[at + 6] ?? 0;
      }
      at = afterSubBlocks(bytes, at + 2);
    } else if (block === 0x2c) { // image descriptor
      if (at + 10 > bytes.length) break;
      const right = view.getUint16(at + 1, true) + view.getUint16(at + 5, true);
      const bottom = view.getUint16(at + 3, true) + view.getUint16(at + 7, true);
      if (right > width || bottom > height) {
        throw damaged(`its first frame reaches to ${right} × ${bottom} on ${width} × ${height}`);
      }
      const local = colorTable(bytes, at + 10, bytes[at + 9]!);
      if (local.length > 0) palette = local;
      const color = palette.subarray(3 * transparent, 3 * transparent + 3);
      return { width, height, orientation: 1, background: color.length === 3 ? color : BLACK };
    } else {
      break; // the trailer, or nothing that belongs here
    }
  }
  throw damaged("it has no frame");
}

/** The colour table at `at`, of 3 bytes a colour, where the flags say that there is one. */
function colorTable(bytes: Uint8Array, at: number, flags: number): Uint8Array {
  const colors = (flags & 0x80) !== 0 ? 2 << (flags & 7) : 0;
  return bytes.subarray(at, at + 3 * colors);
}

/** Sub-blocks are a length and as many bytes each; a length of 0 ends them. */
function afterSubBlocks(bytes: Uint8Array, at: number): number {
  for (let length = bytes[at]; length; length = bytes[at]) at += 1 + length;
  return at + 1;
}

function damaged(what: string): ImageDecodeError {
  return new ImageDecodeError(`Cannot decode the GIF image: ${what}`);
}
