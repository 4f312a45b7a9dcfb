import { damagedAs } from "../image_decode_error.ts";
import type { ImageHeader } from "../image_header.ts";

const damaged = damagedAs("GIF");

/** What a GIF says, with what its first frame does not cover. */
export interface GifHeader extends Omit<ImageHeader, "format"> {
  /** The RGB colour around the first frame, as in Pillow, 3 bytes. */
  readonly background: Uint8Array;
  /** Whether the first frame has a colour table. Without one, Pillow uses its indices as grey. */
  readonly hasPalette: boolean;
}

const BLACK = new Uint8Array(3);

/** LZW's table has 4,096 entries, so a code expands to at most that many pixels. */
const MAX_PIXELS_PER_CODE = 4096;

/**
 * Reads a GIF's logical screen and walks over its blocks: extensions and frames.
 *
 * @throws {ImageDecodeError} if its header is cut off, it has no frame, or the first frame is empty.
 */
export function readGifHeader(bytes: Uint8Array): GifHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 13) throw damaged("its header is cut off");
  let width = view.getUint16(6, true);
  let height = view.getUint16(8, true);
  const palette = colorTable(bytes, 13, bytes[10]!);
  let at = 13 + palette.length;
  let transparent = 0; // Pillow fills with colour 0 if no colour is transparent.
  let first: Omit<GifHeader, "frames"> | undefined;
  let frames = 0;
  while (at + 1 < bytes.length) {
    if (bytes[at] === 0x21) { // extension
      // Graphic control extension: size 4, flags, delay (2 bytes), transparent colour index.
      const isControl = bytes[at + 1] === 0xf9 && bytes[at + 2] === 4;
      if (!first && isControl && (bytes[at + 3]! & 1) !== 0) transparent = bytes[at + 6] ?? 0;
      at = afterSubBlocks(bytes, at + 2);
    } else if (bytes[at] === 0x2c && at + 11 <= bytes.length) { // frame
      const right = view.getUint16(at + 1, true) + view.getUint16(at + 5, true);
      const bottom = view.getUint16(at + 3, true) + view.getUint16(at + 7, true);
      const flags = bytes[at + 9]!;
      const local = colorTable(bytes, at + 10, flags);
      const data = at + 10 + local.length; // the code size, then sub-blocks
      const end = afterSubBlocks(bytes, data + 1);
      frames++;
      if (!first) {
        // A frame that exceeds the screen enlarges it.
        width = Math.max(width, right);
        height = Math.max(height, bottom);
        const covered = view.getUint16(at + 5, true) * view.getUint16(at + 7, true);
        if (covered === 0) throw damaged("its first frame has no pixels");
        const colors = local.length > 0 ? local : palette;
        const color = colors.subarray(3 * transparent, 3 * transparent + 3);
        const codes = 8 * (end - data) / ((bytes[data] ?? 0) + 1);
        first = {
          width,
          height,
          bitDepth: colors.length > 0 ? Math.ceil(Math.log2(colors.length / 3)) : 8,
          components: 1,
          orientation: 1,
          hasPalette: colors.length > 0,
          background: color.length === 3 ? color.slice() : BLACK, // a view would keep the file
          // What the frame does not cover needs no data.
          plausiblePixels: width * height - covered + codes * MAX_PIXELS_PER_CODE,
          memoryPerPixel: 8,
        };
      }
      at = end;
    } else break; // the trailer, or an unknown block
  }
  if (!first) throw damaged("it has no frame");
  return { ...first, frames };
}

/** Returns the colour table at `at`, 3 bytes per colour; empty if the flags announce none. */
function colorTable(bytes: Uint8Array, at: number, flags: number): Uint8Array {
  const colors = (flags & 0x80) !== 0 ? 2 << (flags & 7) : 0;
  return bytes.subarray(at, at + 3 * colors);
}

/** Skips sub-blocks (a length and that many bytes each), up to and including the length 0. */
function afterSubBlocks(bytes: Uint8Array, at: number): number {
  for (let length = bytes[at]; length; length = bytes[at]) at += 1 + length;
  return Math.min(at + 1, bytes.length);
}
