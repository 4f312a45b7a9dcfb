import { readBytes } from "../hub/read_whole.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { isImageName, type PhotoFile } from "./image_files.ts";

/** A tar file is blocks of this size; every entry begins with one that is its header. */
const BLOCK = 512;
/** A class in a `.cls` file, an extended header: more is no text for us. */
const MAX_TEXT_BYTES = 1_000_000;

/** Whether a file's name has the ending of a tar file. */
export function isTarName(file: string): boolean {
  return /\.tar$/i.test(file);
}

/**
 * Finds the images in a tar file: ustar, and the extensions of POSIX (pax) and GNU for long names. As in
 * webdataset, `a.cls` beside `a.jpg` is its label. Links and folders are left out. Only headers and labels
 * are read; each image has a `range` to read it by.
 *
 * @returns the images in the order of the tar file, named by its path, `/` and the entry's name.
 * @throws {Error} if it cannot be read or is no whole tar file; the message names it.
 */
export async function findTarImages(tar: string): Promise<PhotoFile[]> {
  try {
    const images: { name: string; offset: number; size: number }[] = [];
    const labels = new Map<string, string>();
    using file = await Deno.open(tar);
    for await (const { name, offset, size } of entries(file)) {
      if (isImageName(name)) images.push({ name, offset, size });
      else if (/\.cls$/i.test(name)) {
        const label = decode(await readAt(file, offset, size)).trim();
        if (label !== "") labels.set(keyOf(name), label);
      }
    }
    return images.map(({ name, offset, size }) => {
      const label = labels.get(keyOf(name));
      return {
        file: `${tar}/${name}`,
        range: { file: tar, offset, size },
        ...(label === undefined ? {} : { label }),
      };
    });
  } catch (error) {
    throw new Error(`${tar}: ${readErrorMessage(error)}`);
  }
}

/** What a sample's files share: the path up to the first point of the file's name. */
function keyOf(name: string): string {
  return /^(?:.*\/)?[^/.]*/.exec(name)![0];
}

/** A regular file in a tar file. */
interface Entry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

async function* entries(file: Deno.FsFile): AsyncGenerator<Entry> {
  const { size: end } = await file.stat();
  let extended: { name?: string; size?: number } = {};
  for (let at = 0; at < end;) {
    if (at + BLOCK > end) throw new Error("it is no whole tar file: it ends in a header");
    const header = await readAt(file, at, BLOCK);
    if (header.every((byte) => byte === 0)) return; // two blocks of zeros end it
    assertChecksum(header, at);
    const type = String.fromCharCode(header[156]!);
    const isExtension = type === "x" || type === "L";
    const size = isExtension ? sizeOf(header) : extended.size ?? sizeOf(header);
    const offset = at + BLOCK;
    if (offset + size > end) {
      throw new Error(`it is no whole tar file: it ends in the entry ${nameOf(header)}`);
    }
    if (type === "x") extended = { ...extended, ...paxFields(await readAt(file, offset, size)) };
    else if (type === "L") {
      extended = {
        ...extended,
        name: decode(await readAt(file, offset, size)).replace(/\0.*$/s, ""),
      };
    } else {
      // "0" and, in old files, NUL; "7" is a contiguous file.
      if (type === "0" || type === "\0" || type === "7") {
        yield { name: extended.name ?? nameOf(header), offset, size };
      }
      if (type !== "g" && type !== "K") extended = {};
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
}

async function readAt(file: Deno.FsFile, offset: number, size: number): Promise<Uint8Array> {
  if (size > MAX_TEXT_BYTES) throw new Error(`it has a text of ${size} bytes in place of a name`);
  await file.seek(offset, Deno.SeekMode.Start);
  const bytes = await readBytes(file, size);
  if (bytes.length < size) throw new Error("it became shorter while it was read");
  return bytes;
}

/** The sum of the header's bytes, with spaces in place of the sum, stands in it. */
function assertChecksum(header: Uint8Array, at: number): void {
  const sum = header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (Number.parseInt(textOf(header, 148, 8), 8) === sum) return;
  throw new Error(`it is no tar file: there is no header at byte ${at}`);
}

function nameOf(header: Uint8Array): string {
  const name = textOf(header, 0, 100);
  const isUstar = textOf(header, 257, 6) === "ustar"; // GNU's own has "ustar ", without a prefix
  const prefix = isUstar ? textOf(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Octal digits, or with the first bit set a binary number, of 8 GiB and more. */
function sizeOf(header: Uint8Array): number {
  const field = header.subarray(124, 136);
  const size = field[0]! & 0x80
    ? field.subarray(1).reduce((size, byte) => 256 * size + byte, 0)
    : Number.parseInt(textOf(header, 124, 12).trim() || "0", 8);
  if (Number.isSafeInteger(size)) return size;
  throw new Error(`it is no tar file: the size of ${nameOf(header)} is no number`);
}

/** Records "LENGTH KEY=VALUE\n", of which `path` and `size` matter. */
function paxFields(bytes: Uint8Array): { name?: string; size?: number } {
  const fields: { name?: string; size?: number } = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const length = Number(decode(bytes.subarray(at, space)));
    if (space === -1 || !Number.isSafeInteger(length) || length < 5 || at + length > bytes.length) {
      throw new Error("it is no whole tar file: an extended header is damaged");
    }
    const [, key, value] =
      /^([^=]*)=(.*)\n$/s.exec(decode(bytes.subarray(space + 1, at + length))) ?? [];
    if (key === "path" && value) fields.name = value;
    if (key === "size" && value) fields.size = Number(value);
    at += length;
  }
  return fields;
}

/** Text up to the first NUL. */
function textOf(header: Uint8Array, at: number, length: number): string {
  return decode(header.subarray(at, at + length)).replace(/\0.*$/s, "");
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
