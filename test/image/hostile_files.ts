// Files that do harm to a careless decoder, made on the spot.

import { concat } from "@std/bytes/concat";

/** A JPEG of some 200 bytes that states any size: all tables, and next to no data. */
export function jpegBomb(width: number, height: number, progressive: boolean): Uint8Array {
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  const component = (id: number) => [id, 0x11, 0];
  // Huffman tables for DC and AC of one code of one bit: of length 1 there is 1, of others none.
  const huffman = (table: number) => [0xff, 0xc4, 0, 20, table, 1, ...Array(15).fill(0), 0];
  return Uint8Array.from([
    ...[0xff, 0xd8, 0xff, 0xdb, 0, 67, 0, ...Array(64).fill(1)],
    ...[0xff, progressive ? 0xc2 : 0xc0, 0, 17, 8, ...size, 3],
    ...[1, 2, 3].flatMap(component),
    ...huffman(0x00),
    ...huffman(0x10),
    ...[0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, progressive ? 0 : 63, 0],
    ...[0, 0, 0, 0, 0xff, 0xd9],
  ]);
}

/** A progressive JPEG whose every scan is a few bytes long and keeps the decoder busy for all blocks. */
export function jpegOfScans(side: number, scans: number): Uint8Array {
  const jpeg = jpegBomb(side, side, true);
  // One run of 2¹⁴ + 0x1fff blocks and more; the bits that follow are zeros.
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0, ...Array(40).fill(0)];
  return concat([
    jpeg.subarray(0, -2),
    Uint8Array.from(Array(scans).fill(scan).flat()),
    jpeg.subarray(-2),
  ]);
}

/** A GIF of 35 bytes and that many pixels a side. */
export function gifBomb(side: number): Uint8Array {
  const size = [side & 255, side >> 8, side & 255, side >> 8];
  return Uint8Array.from([
    ...new TextEncoder().encode("GIF89a"),
    ...size,
    ...[0x80, 0, 0, 0, 0, 0, 255, 255, 255],
    ...[0x2c, 0, 0, 0, 0, ...size, 0],
    ...[2, 2, 0x44, 1, 0, 0x3b],
  ]);
}

/** A grey PNG of zeros. */
export async function pngOf(
  { width, height, bitDepth, rows = height, colorType = 0 }: {
    width: number;
    height: number;
    bitDepth: number;
    /** How many rows its data have. */
    rows?: number;
    colorType?: number;
  },
): Promise<Uint8Array> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([bitDepth, colorType], 8);
  const raw = new Uint8Array(rows * (1 + Math.ceil(width * bitDepth / 8)));
  const compressed = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(compressed).arrayBuffer());
  return concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk("IHDR", header),
    pngChunk("IDAT", data),
    pngChunk("IEND", new Uint8Array()),
  ]);
}

/** A chunk with its checksum. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const content = concat([new TextEncoder().encode(type), data]);
  const chunk = new Uint8Array(8 + content.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(content, 4);
  view.setUint32(4 + content.length, crc32(content));
  return chunk;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A JPEG with a segment put behind its start. */
export function withSegment(jpeg: Uint8Array, marker: number, content: Uint8Array): Uint8Array {
  const length = content.length + 2;
  const head = Uint8Array.of(0xff, marker, length >> 8, length & 255);
  return concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)]);
}

/** EXIF metadata whose directory follows on itself for ever. */
export function exifLoop(): Uint8Array {
  const exif = new Uint8Array(6 + 14);
  exif.set(new TextEncoder().encode("Exif\0\0MM\0*"));
  const view = new DataView(exif.buffer, 6);
  view.setUint32(4, 8); // the first directory
  view.setUint16(8, 0); // has no entry
  view.setUint32(10, 8); // and is followed by itself
  return exif;
}
