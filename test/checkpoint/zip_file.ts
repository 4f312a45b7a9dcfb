import { concat } from "@std/bytes/concat";

const encoder = new TextEncoder();

/** Little-endian bytes: `[value, size in bytes]`. */
function fields(...values: [value: number, size: 2 | 4 | 8][]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, [, size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, size] of values) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return bytes;
}

/** How {@linkcode zipFile} departs from a plain zip file. */
export interface ZipOptions {
  /** Whether sizes, offsets and counts are where they go beyond 4 GB. */
  readonly zip64?: boolean;
  /** 8 claims that the entries are deflated. */
  readonly method?: number;
  /** 1 claims that they are encrypted. */
  readonly flags?: number;
  readonly comment?: string;
  /** Added to the size that the directory states. */
  readonly extraSize?: number;
}

/** A zip file whose entries are stored as they are, from byte 64 of every 64, as PyTorch does it. */
export function zipFile(
  entries: readonly (readonly [name: string, content: Uint8Array])[],
  { zip64 = false, method = 0, flags = 0, comment = "", extraSize = 0 }: ZipOptions = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const [text, content] of entries) {
    const name = encoder.encode(text);
    const offset = at;
    const padding = -(at + 30 + name.length) & 63;
    const size = content.length + extraSize;
    const wide = 0xffffffff;
    add(fields([0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4]));
    add(fields([content.length, 4], [content.length, 4], [name.length, 2], [padding, 2]));
    add(name);
    add(new Uint8Array(padding));
    add(content);
    const extra = zip64 ? fields([1, 2], [24, 2], [size, 8], [size, 8], [offset, 8]) : fields();
    directory.push(
      fields([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4]),
      fields([zip64 ? wide : size, 4], [zip64 ? wide : size, 4], [name.length, 2]),
      fields([extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [zip64 ? wide : offset, 4]),
      name,
      extra,
    );
  }
  const begin = at;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  directory.forEach(add);
  const count = entries.length;
  if (zip64) {
    const record = at;
    add(fields([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [count, 8]));
    add(fields([size, 8], [begin, 8], [0x07064b50, 4], [0, 4], [record, 8], [1, 4]));
  }
  const short = zip64 ? [0xffff, 0xffffffff, 0xffffffff] as const : [count, size, begin] as const;
  add(fields([0x06054b50, 4], [0, 4], [short[0], 2], [short[0], 2], [short[1], 4], [short[2], 4]));
  add(fields([comment.length, 2]));
  add(encoder.encode(comment));
  return concat(parts);
}
