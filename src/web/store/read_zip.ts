/** As many as a zip file without ZIP64 can have. */
const MAX_ENTRIES = 0xfffe;

// PKWARE's APPNOTE.TXT, section 4.3
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES] = [30, 46, 22] as const;
const MAX_COMMENT_BYTES = 0xffff;

/**
 * Reads a zip file with uncompressed entries, as `writeZip` writes it. The entries are views of `bytes`: no file
 * can expand in memory.
 *
 * @throws {SyntaxError} if the bytes are not such a file, or an entry is compressed, doubled or outside it.
 */
export function readZip(bytes: Uint8Array<ArrayBuffer>): Map<string, Uint8Array<ArrayBuffer>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEndRecord(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const directory = at;
  if (count > MAX_ENTRIES) throw unreadable(`it has more than ${MAX_ENTRIES} entries`);
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL_HEADER) {
      throw unreadable(`its directory ends after ${i} of ${count} entries`);
    }
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw unreadable(`its directory ends within entry ${i}`);
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, nameEnd));
    if (entries.has(name)) throw unreadable(`it has ${JSON.stringify(name)} twice`);
    if (view.getUint16(at + 10, true) !== 0) {
      throw unreadable(
        `${
          JSON.stringify(name)
        } is compressed; export the project again, or pack it without compression`,
      );
    }
    const header = view.getUint32(at + 42, true);
    const size = view.getUint32(at + 24, true);
    if (
      header + LOCAL_BYTES > directory || view.getUint32(header, true) !== LOCAL_HEADER ||
      view.getUint32(at + 20, true) !== size
    ) throw unreadable(`${JSON.stringify(name)} is not where the directory says`);
    const begin = header + LOCAL_BYTES + view.getUint16(header + 26, true) +
      view.getUint16(header + 28, true);
    if (begin + size > directory) throw unreadable(`${JSON.stringify(name)} is cut off`);
    entries.set(name, bytes.subarray(begin, begin + size));
    at = next;
  }
  return entries;
}

/** Searches backwards for the end record, which only a comment of up to 65,535 bytes may follow. */
function findEndRecord(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at--) {
    if (view.getUint32(at, true) === END_RECORD && at + view.getUint16(at + 20, true) === last) {
      return at;
    }
  }
  throw unreadable("it is not a zip file, or it is cut off");
}

function unreadable(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the zip file: ${what}`);
}
