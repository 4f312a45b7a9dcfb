import { fileSystem } from "./file_system.ts";

/**
 * Reads a file, whole. The `readFile` of the hosts needs twice the file's size in memory for a moment.
 *
 * @throws {Error} of the file system, with a `code`.
 */
export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await fileSystem().open(path);
  try {
    const stat = await file.stat();
    // A pipe has no size; a folder throws its own error.
    if (!stat.isFile()) return Uint8Array.from(await file.readFile());
    return await readBytes({
      read: async (into) => (await file.read(into, 0, into.length, null)).bytesRead || null,
    }, stat.size);
  } finally {
    await file.close();
  }
}

/** What bytes are read from, such as a `Deno.FsFile`. */
export interface ByteSource {
  /** Reads some bytes into the array; returns how many, or `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/** Reads up to `size` bytes from a file's current position; fewer if the file ends before. */
export async function readBytes(file: ByteSource, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  let end = 0;
  while (end < size) {
    const read = await file.read(bytes.subarray(end, end + MAX_READ_BYTES));
    if (read === null) break;
    end += read;
  }
  return bytes.subarray(0, end);
}

/** A read is copied as a whole, so one large read would need the memory twice. */
const MAX_READ_BYTES = 4_000_000;
