/// <reference lib="dom" />
import type { ProjectStore, StoreChanges } from "./project_store.ts";
import type { ClassRecord, PhotoImage, PhotoRecord } from "./records.ts";

const VERSION = 1;
const [CLASSES, PHOTOS, IMAGES] = ["classes", "photos", "images"];
/** Records that are read at a time: between parts, the page answers. */
const PART = 200;
/** The key of each object store's records. */
const KEYS = { [CLASSES!]: "id", [PHOTOS!]: "hash", [IMAGES!]: "hash" };

/**
 * Keeps a project in the browser's IndexedDB, where it survives a closed tab. The images are apart from the
 * photos, so that a project of many photos opens without reading all of them.
 */
export class IndexedDbStore implements ProjectStore {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /**
   * Opens the project, or makes an empty one.
   *
   * @param name the database's.
   * @throws {Error} if the browser forbids IndexedDB, as in some private windows.
   */
  static async open(name: string): Promise<IndexedDbStore> {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(KEYS)) {
        request.result.createObjectStore(store, { keyPath });
      }
    };
    const database = await resultOf(request);
    // Another tab with a newer version of the page could not open it otherwise.
    database.onversionchange = () => database.close();
    return new IndexedDbStore(database);
  }

  async readAll(): Promise<{ classes: ClassRecord[]; photos: PhotoRecord[] }> {
    const store = this.#database.transaction(PHOTOS!).objectStore(PHOTOS!);
    const photos: PhotoRecord[] = [];
    for (let part = await resultOf(store.getAll(null, PART)); part.length > 0;) {
      photos.push(...part);
      const after = IDBKeyRange.lowerBound(photos.at(-1)!.hash, true);
      part = await resultOf(store.getAll(after, PART));
    }
    const classes = this.#database.transaction(CLASSES!).objectStore(CLASSES!);
    return { classes: await resultOf(classes.getAll()), photos };
  }

  async readImages(hashes: readonly string[]): Promise<(PhotoImage | undefined)[]> {
    if (hashes.length === 0) return [];
    const store = this.#database.transaction(IMAGES!).objectStore(IMAGES!);
    return await Promise.all(hashes.map((hash) => resultOf(store.get(hash))));
  }

  async write({ classes = [], photos = [], images = [] }: StoreChanges): Promise<void> {
    await this.#change((store) => {
      for (const record of classes) store(CLASSES!).put(record);
      for (const record of photos) store(PHOTOS!).put(record);
      for (const record of images) store(IMAGES!).put(record);
    });
  }

  async remove({ classes = [], photos = [] }: {
    readonly classes?: readonly string[];
    readonly photos?: readonly string[];
  }): Promise<void> {
    await this.#change((store) => {
      for (const id of classes) store(CLASSES!).delete(id);
      for (const hash of photos) {
        store(PHOTOS!).delete(hash);
        store(IMAGES!).delete(hash);
      }
    });
  }

  /** Makes changes in one transaction; resolves when the browser has kept them. */
  async #change(make: (store: (name: string) => IDBObjectStore) => void): Promise<void> {
    const transaction = this.#database.transaction([CLASSES!, PHOTOS!, IMAGES!], "readwrite");
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    try {
      make((name) => transaction.objectStore(name));
    } catch (error) {
      transaction.abort();
      await done.catch(() => {});
      throw notKept(error);
    }
    await done.catch((error) => {
      throw notKept(error);
    });
  }
}

function notKept(error: unknown): Error {
  const name = (error as DOMException | null)?.name;
  return new Error(
    name === "QuotaExceededError"
      ? "Cannot keep the photos: the browser has no more room for this page; export the project, then " +
        "delete photos or free disk space"
      : `Cannot keep the change: ${(error as Error | null)?.message ?? "the browser cancelled it"}`,
    { cause: error },
  );
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
