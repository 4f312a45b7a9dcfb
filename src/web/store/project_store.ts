import type { ClassRecord, PhotoImage, PhotoRecord } from "./records.ts";

/** Records to write; each replaces the one with the same key. */
export interface StoreChanges {
  readonly classes?: readonly ClassRecord[];
  readonly photos?: readonly PhotoRecord[];
  readonly images?: readonly PhotoImage[];
}

/** Where a project is kept. */
export interface ProjectStore {
  /** Reads everything but the images. */
  readAll(): Promise<{ classes: ClassRecord[]; photos: PhotoRecord[] }>;
  /** Reads images, in the order of the hashes; undefined for those that are not there. */
  readImages(hashes: readonly string[]): Promise<(PhotoImage | undefined)[]>;
  /**
   * Writes all records or none.
   *
   * @throws {Error} if there is no room; the message says what to do.
   */
  write(changes: StoreChanges): Promise<void>;
  /** Removes classes by id, and photos with their images by hash: all or none. */
  remove(keys: {
    readonly classes?: readonly string[];
    readonly photos?: readonly string[];
  }): Promise<void>;
}
