import { plainBytes } from "../tensor/plain_bytes.ts";

/** The contents of a zip file's entries, by name. */
export type ZipEntries = ReadonlyMap<string, Uint8Array>;

/** A checkpoint has one entry per tensor; ViT-L with its optimizer's state has about 1,200. */
const MAX_ENTRIES = 100_000;

// PKWARE's APPNOTE.TXT, section 4.3
const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const ZIP64_END_RECORD = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
/** The tag of the extra field that holds the values which do not fit into 32 bits. */
const ZIP64_EXTRA = 1;
const ENCRYPTED = 1;

const LOCAL_HEADER_BYTES = 30;
const CENTRAL_HEADER_BYTES = 46;
const END_RECORD_BYTES = 22;
const ZIP64_END_RECORD_BYTES = 56;
const ZIP64_LOCATOR_BYTES = 20;
const MAX_COMMENT_BYTES = 0xffff;

/**
 * Reads a zip file with uncompressed entries, as PyTorch writes it; ZIP64 is supported. The entries
 * are views of `bytes`. Compressed entries are rejected, so no file can expand in memory.
 *
 * @throws {SyntaxError} if the bytes are not a zip file or are cut off, or an entry is compressed,
 * encrypted, duplicated or outside the file. The message names the entry.
 */
export function readZip(bytes: Uint8Array): ZipEntries {
  bytes = plainBytes(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, begin, end } = findDirectory(view);
  if (count > MAX_ENTRIES) throw malformed(`it has ${count} entries, more than ${MAX_ENTRIES}`);
  const entries = new Map<string, Uint8Array>();
  let at = begin;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_HEADER_BYTES > end || view.getUint32(at, true) !== CENTRAL_HEADER) {
      throw malformed(`its directory ends after ${i} of ${count} entries`);
    }
    const nameEnd = at + CENTRAL_HEADER_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > end) throw malformed(`its directory ends within entry ${i}`);
    const name = decodeName(bytes.subarray(at + CENTRAL_HEADER_BYTES, nameEnd));
    if (entries.has(name)) throw malformed(`it has the entry ${JSON.stringify(name)} twice`);
    entries.set(name, readEntry(bytes, view, name, at, [nameEnd, extraEnd], begin));
    at = next;
  }
  return entries;
}

/** Returns the byte range of the central directory and its number of entries. */
function findDirectory(view: DataView): { count: number; begin: number; end: number } {
  const at = findEndRecord(view);
  let count = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let begin = view.getUint32(at + 16, true);
  if (count === 0xffff || size === 0xffffffff || begin === 0xffffffff) {
    const locator = at - ZIP64_LOCATOR_BYTES;
    if (locator >= 0 && view.getUint32(locator, true) === ZIP64_LOCATOR) {
      const record = getUint64(view, locator + 8);
      if (
        record > locator - ZIP64_END_RECORD_BYTES ||
        view.getUint32(record, true) !== ZIP64_END_RECORD
      ) throw malformed("its ZIP64 end record is missing or misplaced");
      count = getUint64(view, record + 32);
      size = getUint64(view, record + 40);
      begin = getUint64(view, record + 48);
    }
  }
  if (begin + size > at) throw malformed("its directory lies outside the file");
  return { count, begin, end: begin + size };
}

/** Searches backwards for the end record, which only a comment of up to 65,535 bytes may follow. */
function findEndRecord(view: DataView): number {
  const last = view.byteLength - END_RECORD_BYTES;
  for (let at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at--) {
    if (view.getUint32(at, true) === END_RECORD && at + view.getUint16(at + 20, true) === last) {
      return at;
    }
  }
  throw malformed("it is not a zip file, or it is cut off");
}

function readEntry(
  bytes: Uint8Array,
  view: DataView,
  name: string,
  at: number,
  [extra, extraEnd]: readonly [number, number],
  directory: number,
): Uint8Array {
  const quoted = JSON.stringify(name);
  if (view.getUint16(at + 8, true) & ENCRYPTED) throw malformed(`${quoted} is encrypted`);
  if (view.getUint16(at + 10, true) !== 0) {
    throw malformed(`${quoted} is compressed; only uncompressed entries are supported`);
  }
  const packed = view.getUint32(at + 20, true);
  const unpacked = view.getUint32(at + 24, true);
  const offset = view.getUint32(at + 42, true);
  // The ZIP64 extra field holds, in this order, only the values that are 0xffffffff in the header.
  const wide = zip64Numbers(view, extra, extraEnd);
  const widen = (value: number) => value === 0xffffffff ? wide.shift() ?? value : value;
  const size = widen(unpacked);
  const packedSize = widen(packed);
  const header = widen(offset);
  if (size !== packedSize) throw malformed(`${quoted} is uncompressed, but its two sizes differ`);
  if (
    header > directory - LOCAL_HEADER_BYTES || view.getUint32(header, true) !== LOCAL_HEADER
  ) throw malformed(`${quoted} has no header where the directory points`);
  const begin = header + LOCAL_HEADER_BYTES + view.getUint16(header + 26, true) +
    view.getUint16(header + 28, true);
  if (begin + size > directory) throw malformed(`${quoted} overlaps the directory`);
  return bytes.subarray(begin, begin + size);
}

function zip64Numbers(view: DataView, extra: number, end: number): number[] {
  for (let at = extra; at + 4 <= end;) {
    const fieldEnd = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === ZIP64_EXTRA && fieldEnd <= end) {
      const numbers = [];
      for (at += 4; at + 8 <= fieldEnd; at += 8) numbers.push(getUint64(view, at));
      return numbers;
    }
    at = fieldEnd;
  }
  return [];
}

/** Values above 2⁵³ are rounded; they exceed every file size, so the range checks reject them. */
function getUint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("the name of an entry is not UTF-8");
  }
}

function malformed(what: string): SyntaxError {
  return new SyntaxError(`Cannot read the zip file: ${what}`);
}
