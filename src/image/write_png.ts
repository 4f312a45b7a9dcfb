import { concat } from "@std/bytes/concat";
import type { RawImage } from "./raw_image.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Encodes an image as PNG: 8-bit RGB, unfiltered rows.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeImage } from "./decode_image.ts";
 * import { writePng } from "./write_png.ts";
 *
 * const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
 * assertEquals(await decodeImage(await writePng(image)), image);
 * ```
 */
export async function writePng(
  { width, height, data }: RawImage,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8); // bits, colour type RGB, compression, filter, interlace
  const rows = new Uint8Array(height * (1 + 3 * width)); // each begins with its filter type, 0
  for (let y = 0; y < height; y++) {
    rows.set(data.subarray(3 * width * y, 3 * width * (y + 1)), y * (1 + 3 * width) + 1);
  }
  const compressed = await new Response(
    new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")),
  ).arrayBuffer();
  return concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", new Uint8Array(compressed)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** A PNG chunk: length, name, content, and the CRC-32 of name and content. */
function chunk(name: string, content: Uint8Array): Uint8Array {
  const body = concat([new TextEncoder().encode(name), content]);
  const [length, crc] = [new Uint8Array(4), new Uint8Array(4)];
  new DataView(length.buffer).setUint32(0, content.length);
  new DataView(crc.buffer).setUint32(0, crc32(body));
  return concat([length, body, crc]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
