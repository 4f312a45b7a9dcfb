import { join } from "@std/path";
import { isMissingFile } from "./file_error_code.ts";
import { fileSystem } from "./file_system.ts";
import type { ModelFolder } from "./model_folder.ts";
import { readWhole } from "./read_whole.ts";

/** A folder of this machine. */
export class LocalFolder implements ModelFolder {
  /** The folder's path. */
  readonly name: string;

  /** A folder with that path. */
  constructor(path: string) {
    this.name = path;
  }

  /** The path of a file. */
  locate(file: string): string {
    return join(this.name, file);
  }

  /** Reads a file; `undefined` if it does not exist. */
  async read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await readWhole(this.locate(file));
    } catch (error) {
      if (isMissingFile(error)) return undefined;
      throw error;
    }
  }

  /** The names of what is in it, in order. */
  async list(): Promise<string[]> {
    return (await fileSystem().readdir(this.name)).sort();
  }
}
