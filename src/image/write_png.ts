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
  const compressed = await new Response(
    filteredRows({ width, height, data }).pipeThrough(new CompressionStream("deflate")),
  ).arrayBuffer();
  return concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", new Uint8Array(compressed)),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** About how many bytes are given to the compressor at a time. */
const STRIP_BYTES = 2 ** 16;

/** The rows, each after its filter type 0, some at a time: a copy of all would take as much memory again. */
function filteredRows({ width, height, data }: RawImage): ReadableStream<Uint8Array<ArrayBuffer>> {
  const stride = 3 * width;
  const stripRows = Math.max(1, Math.floor(STRIP_BYTES / (1 + stride)));
  let y = 0;
  return new ReadableStream({
    pull(controller) {
      if (y === height) return controller.close();
      const rows = Math.min(stripRows, height - y);
      const strip = new Uint8Array(rows * (1 + stride));
      for (let i = 0; i < rows; i++, y++) {
        strip.set(data.subarray(stride * y, stride * (y + 1)), i * (1 + stride) + 1);
      }
      controller.enqueue(strip);
    },
  });
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
