import { concat } from "@std/bytes/concat";

/** An entry of a tar file. */
export interface TarEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** The type flag; default a regular file. */
  readonly type?: string;
  /** In front of the name, as ustar has it for long ones. */
  readonly prefix?: string;
}

/** Makes a tar file, without the two blocks of zeros that end it if `isOpen`. */
export function tarFile(entries: readonly TarEntry[], isOpen = false): Uint8Array<ArrayBuffer> {
  const blocks = entries.flatMap(({ name, content = "", type = "0", prefix = "" }) => {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(100, "0000644\0");
    put(124, bytes.length.toString(8).padStart(11, "0") + "\0");
    put(148, "        ");
    put(156, type);
    put(257, "ustar\x0000");
    put(345, prefix);
    const sum = header.reduce((sum, byte) => sum + byte, 0);
    put(148, sum.toString(8).padStart(6, "0") + "\0 ");
    return [header, bytes, new Uint8Array(-bytes.length & 511)];
  });
  return concat([...blocks, new Uint8Array(isOpen ? 0 : 1024)]);
}

/** The content of an extended header of POSIX. */
export function paxRecords(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).map(([key, value]) => {
    const rest = new TextEncoder().encode(` ${key}=${value}\n`).length;
    let length = rest + 1;
    while (String(length).length + rest !== length) length = String(length).length + rest;
    return `${length} ${key}=${value}\n`;
  }).join("");
}
