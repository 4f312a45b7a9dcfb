import type { ProjectStore, StoreChanges } from "./project_store.ts";
import type { ClassRecord, PhotoImage, PhotoRecord } from "./records.ts";

/** Keeps a project as long as the page is open: for tests, and for browsers that forbid IndexedDB. */
export class MemoryStore implements ProjectStore {
  readonly #classes = new Map<string, ClassRecord>();
  readonly #photos = new Map<string, PhotoRecord>();
  readonly #images = new Map<string, PhotoImage>();

  readAll(): Promise<{ classes: ClassRecord[]; photos: PhotoRecord[] }> {
    return Promise.resolve({
      classes: [...this.#classes.values()],
      photos: [...this.#photos.values()],
    });
  }

  readImages(hashes: readonly string[]): Promise<(PhotoImage | undefined)[]> {
    return Promise.resolve(hashes.map((hash) => this.#images.get(hash)));
  }

  write({ classes = [], photos = [], images = [] }: StoreChanges): Promise<void> {
    for (const record of classes) this.#classes.set(record.id, record);
    for (const record of photos) this.#photos.set(record.hash, record);
    for (const record of images) this.#images.set(record.hash, record);
    return Promise.resolve();
  }

  remove({ classes = [], photos = [] }: {
    readonly classes?: readonly string[];
    readonly photos?: readonly string[];
  }): Promise<void> {
    for (const id of classes) this.#classes.delete(id);
    for (const hash of photos) {
      this.#photos.delete(hash);
      this.#images.delete(hash);
    }
    return Promise.resolve();
  }
}
