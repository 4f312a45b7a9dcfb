const PAGE = 65_536;
/** WebAssembly has no more: 4 GiB. */
const MAX_PAGES = 65_536;
/** A cache line, and more than a vector. */
const ALIGNMENT = 64;

/** The next place from there on at which a piece may begin. */
export function aligned(place: number): number {
  return Math.ceil(place / ALIGNMENT) * ALIGNMENT;
}

/**
 * Where packed weights begin in every memory, so that the pointers among them hold wherever they are
 * loaded. Below it is what the kernels keep there themselves.
 */
export const WEIGHTS_START: number = PAGE;

/** Pages that the memory grows by at least. */
const MIN_GROWTH = 16;

/** Hands out a WebAssembly memory piece by piece, from below. What is new in it is 0. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #end: number;

  /** @param start where the free part begins. */
  constructor(memory: WebAssembly.Memory, start: number) {
    this.memory = memory;
    this.#end = start;
  }

  /** Where the free part begins. */
  get end(): number {
    return this.#end;
  }

  /**
   * A piece of that many bytes.
   *
   * @throws {RangeError} if the memory cannot have as many.
   */
  reserve(bytes: number): number {
    const place = aligned(this.#end);
    this.makeRoom(place + bytes);
    this.#end = place + bytes;
    return place;
  }

  /** Makes the memory at least that large, without handing anything out. */
  makeRoom(bytes: number): void {
    const pages = this.memory.buffer.byteLength / PAGE;
    const missing = Math.ceil(bytes / PAGE) - pages;
    if (missing <= 0) return;
    const growth = Math.min(Math.max(missing, MIN_GROWTH), MAX_PAGES - pages);
    const takes = `Cannot run the model: it takes ${(bytes / 2 ** 30).toFixed(1)} GiB of memory`;
    if (growth < missing) {
      throw new RangeError(
        `${takes}, and WebAssembly has 4; take smaller images or fewer outputs`,
      );
    }
    try {
      this.memory.grow(growth);
    } catch {
      throw new RangeError(`${takes}, which the host has not`);
    }
  }

  /** A piece that holds a copy of data. */
  put(data: ArrayBufferView): number {
    const place = this.reserve(data.byteLength);
    this.bytes(place, data.byteLength).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
    return place;
  }

  /** A view of bytes; as of all views, it ends where the memory ended when it was made. */
  bytes(place: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, place, length);
  }

  /** A view of float32 numbers. */
  floats(place: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, place, length);
  }

  /** A view of 32-bit integers. */
  integers(place: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, place, length);
  }
}

/** A memory that threads can share, with nothing in it. */
export function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared: true });
}

/** What hands out the memory of weights. */
export function weightsArena(memory: WebAssembly.Memory, freeMemory: number): Arena {
  if (freeMemory > WEIGHTS_START) throw new RangeError("The kernels leave no room for the weights");
  return new Arena(memory, WEIGHTS_START);
}
