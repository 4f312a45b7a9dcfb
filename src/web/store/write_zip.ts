const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
/** The version of the format that a reader must know: 1.0, files without compression. */
const VERSION = 10;
/** Names are UTF-8. */
const UTF_8 = 1 << 11;
/** 1 January 1980, the first date that the format has: the same entries give the same file. */
const DATE = 1 << 5 | 1;
/** Without ZIP64, whose fields no entry of a project needs. */
const [MAX_ENTRIES, MAX_BYTES] = [0xfffe, 0xfffffffe];

/**
 * Writes a zip file with uncompressed entries, which `readZip` and every other tool read (PKWARE's APPNOTE.TXT,
 * section 4.3). JPEG files and floats hardly get smaller by compression.
 *
 * @param entries the contents by name.
 * @returns the file in pieces, in order; contents are not copied.
 * @throws {RangeError} if there are more than 65,534 entries, or the file would exceed 4 GB.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { concat } from "@std/bytes/concat";
 * import { readZip } from "./read_zip.ts";
 * import { writeZip } from "./write_zip.ts";
 *
 * const zip = writeZip(new Map([["a.bin", Uint8Array.of(1, 2)]]));
 * assertEquals(readZip(new Uint8Array(concat(zip))).get("a.bin"), Uint8Array.of(1, 2));
 * ```
 */
export function writeZip(
  entries: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): Uint8Array<ArrayBuffer>[] {
  if (entries.size > MAX_ENTRIES) {
    throw new RangeError(
      `Cannot write a zip file of ${entries.size} entries: at most ${MAX_ENTRIES}`,
    );
  }
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const [name, content] of entries) {
    const bytes = new TextEncoder().encode(name);
    const fields = [
      [2, VERSION],
      [2, UTF_8],
      [2, 0], // stored
      [2, 0], // time
      [2, DATE],
      [4, crc32(content)],
      [4, content.length],
      [4, content.length],
      [2, bytes.length],
      [2, 0], // extra field
    ] as const;
    const local = [record([[4, LOCAL_HEADER], ...fields]), bytes, content];
    // comment, disk, attributes inside and outside, place of the local header
    const more = [[2, 0], [2, 0], [2, 0], [4, 0], [4, at]] as const;
    directory.push(record([[4, CENTRAL_HEADER], [2, VERSION], ...fields, ...more]), bytes);
    pieces.push(...local);
    at += lengthOf(local);
  }
  const size = lengthOf(directory);
  if (at + size > MAX_BYTES) throw new RangeError("Cannot write a zip file of more than 4 GB");
  const end = record([
    [4, END_RECORD],
    [2, 0], // this disk
    [2, 0], // the directory's disk
    [2, entries.size],
    [2, entries.size],
    [4, size],
    [4, at],
    [2, 0], // comment
  ]);
  return [...pieces, ...directory, end];
}

/** Little-endian numbers of 2 or 4 bytes. */
function record(
  fields: readonly (readonly [bytes: 2 | 4, value: number])[],
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = crc >>> 8 ^ CRC_TABLE[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}
