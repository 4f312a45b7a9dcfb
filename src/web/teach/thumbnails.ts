/// <reference lib="dom" />
import type { Project } from "./project.ts";

/** Thumbnails that are read at a time: between parts, the page answers. */
const PART = 20;

/** The addresses of thumbnails, which are read when they are first shown. */
export class Thumbnails {
  readonly #urls = new Map<string, string>();
  readonly #wanted = new Set<string>();
  readonly #onRead: () => void;

  /** @param onRead called when more addresses are there. */
  constructor(onRead: () => void) {
    this.#onRead = onRead;
  }

  /** The address of a photo's thumbnail; undefined until it is read. */
  url(project: Project, hash: string): string | undefined {
    const url = this.#urls.get(hash);
    if (url === undefined && !this.#wanted.has(hash)) {
      this.#wanted.add(hash);
      // All that one drawing of the page asks for are read at once.
      if (this.#wanted.size === 1) queueMicrotask(() => void this.#read(project));
    }
    return url;
  }

  /** Keeps the thumbnail of a photo that is in no store. */
  keep(hash: string, thumbnail: ArrayBuffer): void {
    if (this.#urls.has(hash)) return;
    this.#urls.set(hash, URL.createObjectURL(new Blob([thumbnail], { type: "image/jpeg" })));
  }

  async #read(project: Project): Promise<void> {
    const before = this.#urls.size;
    for (let hashes = this.#next(); hashes.length > 0; hashes = this.#next()) {
      const images = await project.images(hashes);
      for (const image of images) if (image) this.keep(image.hash, image.thumbnail);
      for (const hash of hashes) this.#wanted.delete(hash);
    }
    if (this.#urls.size > before) this.#onRead();
  }

  #next(): string[] {
    return [...this.#wanted].slice(0, PART);
  }
}
