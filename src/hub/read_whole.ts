/** Reads a file like `Deno.readFile`, which needs twice the file's size in memory for a moment. */
export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  const { size, isFile } = await file.stat();
  if (!isFile) return await Deno.readFile(path); // a pipe has no size; a folder throws its own error
  return await readBytes(file, size);
}

/** Reads up to `size` bytes from a file's current position; fewer if the file ends before. */
export async function readBytes(file: Deno.FsFile, size: number): Promise<Uint8Array<ArrayBuffer>> {
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
