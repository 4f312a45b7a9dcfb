import { IS_WORKERD } from "../../host/workerd.ts";
import { countGarbage } from "../../tensor/memory_pressure.ts";

/** The bytes of a page of WebAssembly memory. */
export const PAGE = 65_536;

/** The smallest size by which memories are told apart, in bytes. */
const MIN_SIZE = 2 ** 22;
/** The smallest limit of a memory: a small image's decoder has tables of its own. */
const MIN_LIMIT = 2 ** 25;
/** The most memory that a thread keeps for the next images, in bytes. */
export const MAX_KEPT = 2 ** 26;

/** The size of the only memory in a Worker, in bytes. */
const WORKERD_SIZE = 3 * 2 ** 24;

interface Kept {
  readonly memory: WebAssembly.Memory;
  /** How many bytes from the beginning may not be 0. */
  readonly dirtyBytes: number;
}

/** This thread's memories that no decoder uses, by size; the one that was used last is the last. */
const kept = new Map<number, Kept>();

/** A memory for one image. Disposing of it keeps it for the next one. */
export class WarmMemory implements Disposable {
  readonly memory: WebAssembly.Memory;
  /** How many bytes from the beginning may have been written; default all. */
  dirtyBytes = Infinity;
  readonly #size: number;

  /**
   * Takes a memory, all zeros: new memory costs a page fault every 4 KiB, which takes longer than zeroing.
   *
   * @param bytes the limit of its growth, rounded up to a power of two.
   * @param pages its initial size at least.
   * @throws {RangeError} if the host has no memory.
   */
  constructor(bytes: number, pages: number) {
    // A Worker has room for one, which all images share: a second one would wait for garbage collection.
    this.#size = IS_WORKERD ? WORKERD_SIZE : 2 ** Math.ceil(Math.log2(Math.max(MIN_SIZE, bytes)));
    const warm = kept.get(this.#size);
    kept.delete(this.#size);
    if (warm) {
      this.memory = warm.memory;
      const { buffer } = this.memory;
      new Uint8Array(buffer, 0, Math.min(warm.dirtyBytes, buffer.byteLength)).fill(0);
      const more = pages - buffer.byteLength / PAGE;
      if (more > 0) this.memory.grow(more);
    } else {
      const maximum = Math.max(this.#size, MIN_LIMIT) / PAGE;
      this.memory = new WebAssembly.Memory({ initial: pages, maximum });
    }
  }

  [Symbol.dispose](): void {
    const { memory, dirtyBytes } = this;
    // Two images at a time have a memory each; the second one goes.
    drop(this.#size);
    kept.set(this.#size, { memory, dirtyBytes });
    let bytes = 0;
    for (const [size, { memory }] of [...kept].reverse()) {
      bytes += memory.buffer.byteLength;
      if (bytes > MAX_KEPT) drop(size);
    }
  }
}

/** Leaves a memory to the garbage collector, which does not know how large it is. */
function drop(size: number): void {
  countGarbage(kept.get(size)?.memory.buffer.byteLength ?? 0);
  kept.delete(size);
}
