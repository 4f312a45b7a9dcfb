import { nodeBuiltin, type NodeBuiltins } from "../../host/node_builtin.ts";

type FileSystem = NodeBuiltins["node:fs"];

/** Bytes that are read or written at a time: a call copies all of them. */
const CHUNK = 4_000_000;

/**
 * The flat file of an index's vectors: float16 [slots, D], each row padded with zeros to a multiple of 16
 * bytes, nothing else. It is a copy of what the database has, so that a search reads one file from the
 * beginning to the end. Slots are never written again once the database names them.
 */
export class VectorFile implements Disposable {
  readonly #fs: FileSystem;
  readonly #file: number;

  private constructor(fs: FileSystem, file: number) {
    this.#fs = fs;
    this.#file = file;
  }

  /**
   * Opens the file.
   *
   * @param mode `write` creates a missing file.
   * @returns undefined if there is no such file to read.
   */
  static open(path: string, mode: "read" | "write"): VectorFile | undefined {
    const fs = nodeBuiltin("node:fs")!;
    const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants;
    try {
      return new VectorFile(fs, fs.openSync(path, mode === "read" ? O_RDONLY : O_RDWR | O_CREAT));
    } catch (error) {
      if (mode === "read" && (error as { code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** The file's size in bytes. */
  get size(): number {
    return this.#fs.fstatSync(this.#file).size;
  }

  /** Fills the bytes from a place of the file on; returns how many there were. */
  read(into: Uint8Array, at: number): number {
    let end = 0;
    while (end < into.length) {
      const part = Math.min(CHUNK, into.length - end);
      const read = this.#fs.readSync(this.#file, into, end, part, at + end);
      if (read === 0) break;
      end += read;
    }
    return end;
  }

  /** Writes bytes at a place of the file. */
  write(bytes: Uint8Array, at: number): void {
    let end = 0;
    while (end < bytes.length) {
      const part = Math.min(CHUNK, bytes.length - end);
      end += this.#fs.writeSync(this.#file, bytes, end, part, at + end);
    }
  }

  /** Returns when all that was written is on the disk. */
  sync(): void {
    this.#fs.fdatasyncSync(this.#file);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#fs.closeSync(this.#file);
  }
}
