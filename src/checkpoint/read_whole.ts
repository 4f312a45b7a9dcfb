/** The same as `Deno.readFile`, which for a moment takes twice the memory of the file. */
export async function readWhole(path: string): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  const { size, isFile } = await file.stat();
  if (!isFile) return await Deno.readFile(path); // a pipe has no size, a folder its own error
  return await readBytes(file, size);
}

/** So many bytes of a file, or all if it has less. */
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

/** The system copies what it reads at once. */
const MAX_READ_BYTES = 4_000_000;
